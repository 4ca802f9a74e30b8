"""Every title the client gives by itself is marked for translation (crm_integrations.providers.zendesk.titles)."""

import pytest

from crm_integrations.providers.zendesk.titles import STANDARD_FIELDS
from zendesk_client.records import SYSTEM_DEFINITIONS


@pytest.mark.parametrize("container", sorted(SYSTEM_DEFINITIONS))
def test_standard_titles_can_be_translated(container):
    titles = {definition.title for definition in SYSTEM_DEFINITIONS[container].values()}
    assert titles <= set(STANDARD_FIELDS)
