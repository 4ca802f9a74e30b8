"""Pages of the ledger: the same rows through indexes (memorialization.selectors.ledger_branches, ledger_slices)."""

import re
from datetime import date
from itertools import product

import pytest
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration
from memorialization.models import Contact, Delivery, Interaction, RecordLane
from memorialization.selectors import account_backlogs, ledger_branches, ledger_slices
from memorialization.selectors.ledger_branches import delivery_branches, interaction_branches
from memorialization.selectors.ledger_filters import LedgerFilters, filtered_deliveries, filtered_interactions
from memorialization.selectors.ledger_search import begins_with
from memorialization.selectors.ledger_slices import count_rows, find_ids
from memorialization.selectors.ledger_states import DELIVERY_STATES, INTERACTION_STATES
from tests.benchmarks.million_rows import fill_ledger
from tests.factories import make_configuration, make_mapping
from tests.memorialization.ledger_scene import ROWS, delivery_of, end_call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]

REASONS = {"skipped": "no_record", "failed": "record_gone", "waiting": "crm_unavailable"}


@pytest.fixture
def configurations():
    """An active one, a held one, one whose account was changed after planning, a deleted one."""
    found = [make_configuration(name=name, address=name.lower()) for name in ("Active", "Held", "Moved", "Deleted")]
    for configuration in found:
        make_mapping(configuration, ROWS)
        for number, state in enumerate(Delivery.State.values):
            delivery = delivery_of(end_call(configuration, f"{number}", record=f"{number}", channel="voice"))
            Delivery.objects.filter(pk=delivery.pk).update(
                state=state, reason=REASONS.get(state, ""), channel="voice" if number % 2 else "digital"
            )
    Authentication.objects.filter(pk=found[1].authentication_id).update(state=Authentication.State.REAUTHENTICATE)
    Configuration.objects.filter(pk=found[2].pk).update(authentication=found[0].authentication)
    Configuration.objects.filter(pk=found[3].pk).update(state="deleted", deleted_at=timezone.now())
    Interaction.objects.filter(contact__contact_id="1").update(state=Interaction.State.OPEN, channel="digital")
    Interaction.objects.filter(contact__contact_id__in=["1", "2"]).update(match_due_at=timezone.now())
    return found


def ids_of(rows) -> list[int]:
    return sorted(rows.values_list("pk", flat=True))


def in_every_way(states) -> list[LedgerFilters]:
    return [
        LedgerFilters(state=state, channel=channel, reason=reason, since=since)
        for state, channel, reason, since in product(
            ["", *states, "unknown"],
            ["", "voice", "digital"],
            ["", "no_record", "misconfigured"],
            [None, date(2020, 1, 1)],
        )
    ]  # fmt: skip


@pytest.mark.parametrize("most", [ledger_branches.MOST_BRANCHES, 0])
def test_branches_find_the_deliveries_that_the_filter_finds(configurations, monkeypatch, most):
    monkeypatch.setattr(ledger_branches, "MOST_BRANCHES", most)
    for filters, configuration in product(in_every_way(DELIVERY_STATES), [None, configurations[0], configurations[3]]):
        asked = LedgerFilters(**{name: getattr(filters, name) for name in ("state", "channel", "reason", "since")},
                              configuration=configuration.pk if configuration else None)  # fmt: skip
        expected = ids_of(filtered_deliveries(asked))
        assert find_ids(delivery_branches(asked), after=0, limit=100) == expected, asked
    assert ids_of(filtered_deliveries(LedgerFilters(state="held")))  # of the held and of the moved one
    assert ids_of(filtered_deliveries(LedgerFilters(state="waiting")))


@pytest.mark.parametrize("most", [account_backlogs.COUNTED_MOST, 0])
def test_branches_find_the_interactions_that_the_filter_finds(configurations, monkeypatch, most):
    monkeypatch.setattr(account_backlogs, "COUNTED_MOST", most)
    for filters in in_every_way(INTERACTION_STATES):
        expected = ids_of(filtered_interactions(filters))
        assert find_ids(interaction_branches(filters), after=0, limit=100) == expected, filters
    assert len(ids_of(filtered_interactions(LedgerFilters(state="matching")))) == 6  # two of three that are there


@pytest.mark.parametrize("at_once", [ledger_slices.BRANCHES_AT_ONCE, 1])
def test_a_page_of_several_branches_is_in_order_and_has_no_row_twice(configurations, monkeypatch, at_once):
    monkeypatch.setattr(ledger_slices, "BRANCHES_AT_ONCE", at_once)
    everything = ids_of(filtered_deliveries(LedgerFilters()))
    branches = [*delivery_branches(LedgerFilters(channel="voice")), *delivery_branches(LedgerFilters())]
    assert find_ids(branches, limit=5) == everything[: -5 - 1 : -1]
    assert find_ids(branches, before=everything[-1], limit=2) == [everything[-2], everything[-3]]
    assert find_ids(branches, after=everything[3], before=everything[6], limit=10) == everything[4:6]
    assert find_ids([], limit=5) == []
    assert (count_rows(branches, limit=2), count_rows(branches, limit=100)) == (3, len(everything))


KEYED = "delivery_by_criteria"
DELIVERY_CASES = [
    ({}, "delivery_by_configuration|delivery_pkey"),  # PostgreSQL knows that a third of the rows fit
    ({"state": "failed"}, KEYED),
    ({"state": "waiting"}, KEYED),
    ({"state": "held"}, KEYED),
    ({"channel": "digital"}, KEYED),
    ({"channel": "digital", "state": "delivered", "since": date(2020, 1, 1)}, KEYED),
    ({"reason": "no_record"}, "delivery_by_reason"),
    ({"reason": "no_record", "channel": "digital", "state": "failed"}, "delivery_by_reason"),
]
INTERACTION_CASES = [
    ({}, "interaction_by_configuration|interaction_pkey"),
    ({"state": "open"}, "interaction_by_criteria"),
    ({"channel": "digital"}, "interaction_by_criteria"),
    ({"channel": "voice", "state": "planned", "since": date(2020, 1, 1)}, "interaction_by_criteria"),
]


@pytest.fixture
def ledger():
    """Rows enough that PostgreSQL has something to choose between, and its statistics of them."""
    ledger = fill_ledger(rows=5000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return ledger


def test_every_branch_is_read_in_order_from_an_index(ledger):
    for criteria, index in DELIVERY_CASES:
        assert_in_order(delivery_branches(LedgerFilters(**criteria)), index)
    for criteria, index in INTERACTION_CASES:
        assert_in_order(interaction_branches(LedgerFilters(**criteria)), index)


SMALL_CASES = [
    (RecordLane, begins_with("record_id", "3500001"), "lane_by_record|lane_once"),
    (Contact, begins_with("contact_id", "41520000001"), "contact_by_id"),
    (Contact, Q(contact_id="415200000001"), "contact_by_id"),
    (Delivery, Q(lane__isnull=True) & begins_with("record_id", "3500001"), "delivery_without_lane"),
    (Interaction, Q(segment_id="1"), "interaction_by_segment"),
    (Interaction, Q(agent_id="39185001"), "interaction_by_agent"),
]


def test_a_text_is_looked_up_in_indexes(ledger):
    for model, condition, index in SMALL_CASES:
        plan = plan_of(model.objects.filter(condition).order_by().values_list("pk")[:501])
        assert re.search(index, plan), plan
        assert "SCAN" not in plan and "Seq Scan" not in plan


def test_the_deliveries_of_a_text_are_gathered_and_the_table_is_not_read_in_the_order_of_ids(ledger):
    text = Delivery.objects.exclude(lane=None).latest("pk").record_id
    for branch in delivery_branches(LedgerFilters(q=text)):
        assert branch.is_small
        plan = plan_of(branch.rows.order_by((F("pk") + 0).desc()).values_list("pk")[:51])
        assert not re.search(r"SCAN |Scan Backward using memorialization_delivery_pkey", plan), plan


def test_the_few_whose_records_are_looked_for_are_gathered_from_an_index_of_just_those(ledger):
    few = list(Interaction.objects.order_by("pk").values_list("pk", flat=True)[:3])
    Interaction.objects.filter(pk__in=few).update(match_due_at=timezone.now())
    branches = interaction_branches(LedgerFilters(state="matching"))
    assert branches and find_ids(branches, limit=5) == few[::-1]
    for branch in branches:
        assert branch.is_small
        plan = plan_of(branch.rows.order_by((F("pk") + 0).desc()).values_list("pk")[:51])
        assert "interaction_to_match" in plan, plan


def assert_in_order(branches, index):
    assert branches
    for branch in branches:
        plan = plan_of(branch.rows.order_by("-pk").values_list("pk")[:51])
        if connection.vendor == "sqlite":  # PostgreSQL chooses among the indexes by its statistics
            assert re.search(index, plan), plan
        assert not re.search(r"TEMP B-TREE|SCAN |Sort|Seq Scan on memorialization_(delivery|interaction)\b", plan), plan


def plan_of(rows) -> str:
    """How the database would do it; PostgreSQL may not read so small a table as a whole, as it would."""
    statement, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", "sort", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute("SET LOCAL random_page_cost = 1")  # so few rows lie in memory
            cursor.execute(f"EXPLAIN {statement}", values)
            return "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row[3] for row in cursor.fetchall())
