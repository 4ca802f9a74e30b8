"""Names of limits for people."""

from crm_integrations.providers.zendesk.limit_labels import LIMIT_LABELS
from crm_integrations.providers.zendesk.limits import LIMITS


def test_every_documented_limit_has_a_name_and_no_name_is_left_over():
    assert set(LIMIT_LABELS) == {limit.limit_class for limit in LIMITS}
