"""Every event says in words where it came from, whoever made it."""

import pytest

from crm_integrations.services import workflow_run
from dynamic_data.services import customer_card
from memorialization.selectors.ledger_events import ORIGINS
from memorialization.services import match_reworks, record_links, sample_events


@pytest.mark.parametrize("maker", [customer_card, match_reworks, record_links, sample_events, workflow_run])
def test_what_makes_events_is_known_to_the_timeline(maker):
    assert maker.ORIGIN in ORIGINS
