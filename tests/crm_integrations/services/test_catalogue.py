"""The catalogue of CRM fields (crm_integrations.services.catalogue)."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from crm_integrations.models import CatalogueSnapshot
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, GrantEnded, RecordGone, RetryLater
from crm_integrations.services import call_places, catalogue
from crm_integrations.services.call_places import CallPlaces, PlacesTaken
from crm_integrations.services.catalogue import read_catalogue, read_entity_types, read_fields
from tests.factories import make_authentication
from tests.memory_provider import FIELDS, MemoryProvider

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def authentication():
    return make_authentication()


def asked(name: str) -> int:
    return sum(call == name for call, _details in MemoryProvider.accounts["acme"].calls)


def test_fields_come_as_the_crm_lists_them(authentication):
    assert read_fields(authentication=authentication, entity_type="ticket") == FIELDS["ticket"]


def test_entity_types_come_standard_ones_first(authentication):
    found = read_entity_types(authentication=authentication)
    assert [entity.key for entity in found] == ["ticket", "user", "custom_object:device"]
    assert found[2].is_custom


def test_a_fresh_snapshot_is_served_without_a_call(authentication):
    for _time in range(3):
        read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    assert asked("list_fields") == 1


def test_two_authentications_of_one_account_share_the_snapshot(authentication):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    read_catalogue(authentication=make_authentication(), entity_type="ticket", now=NOW)
    assert asked("list_fields") == 1


def test_a_snapshot_older_than_fifteen_minutes_is_read_anew(authentication):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    later = read_catalogue(authentication=authentication, entity_type="ticket", now=NOW + timedelta(minutes=16))
    assert asked("list_fields") == 2
    assert later.fetched_at == NOW + timedelta(minutes=16)


def test_refresh_asks_whatever_the_age(authentication):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    MemoryProvider.accounts["acme"].fields["ticket"].append(CRMField("new", "New", FieldType.TEXT))
    found = read_catalogue(authentication=authentication, entity_type="ticket", now=NOW, refresh=True)
    assert found.fields[-1].key == "new"


@pytest.mark.parametrize(
    "error",
    [
        CRMUnavailable("down", may_have_applied=False),
        RetryLater("slow down", retry_after_s=60),
        GrantEnded("revoked", is_user_gone=False),
    ],
    ids=["unavailable", "limited", "to be re-authenticated"],
)
def test_an_old_snapshot_is_served_with_its_age_when_the_crm_cannot_answer(authentication, error):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    MemoryProvider.accounts["acme"].faults.append(error)
    found = read_catalogue(authentication=authentication, entity_type="ticket", now=NOW + timedelta(hours=2))
    assert found.fields == FIELDS["ticket"]
    assert (found.fetched_at, found.problem) == (NOW, error.message)


def test_a_crm_that_could_not_answer_is_left_alone_for_a_while(authentication):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    later = NOW + timedelta(hours=2)
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False, retry_after_s=60))
    read_catalogue(authentication=authentication, entity_type="ticket", now=later)
    read_catalogue(authentication=authentication, entity_type="ticket", now=later + timedelta(seconds=59))
    assert asked("list_fields") == 2
    read_catalogue(authentication=authentication, entity_type="ticket", now=later + timedelta(seconds=61))
    assert asked("list_fields") == 3


def test_a_process_that_is_busy_with_others_says_nothing_of_the_account(authentication, monkeypatch):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)

    def refuse(**_keys):
        raise PlacesTaken

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "run_on_connection", refuse)
        busy = read_catalogue(authentication=authentication, entity_type="ticket", refresh=True, now=NOW)
        with pytest.raises(PlacesTaken):
            read_catalogue(authentication=authentication, entity_type="user", now=NOW)
    assert (busy.fetched_at, busy.problem) == (NOW, "")
    assert not CatalogueSnapshot.objects.exclude(problem="", retry_at=None, reading_until=None).exists()


def test_without_a_snapshot_the_error_comes_out_as_it_is(authentication):
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False))
    with pytest.raises(CRMUnavailable) as caught:
        read_fields(authentication=authentication, entity_type="ticket")
    assert caught.value.message == "down"
    assert read_fields(authentication=authentication, entity_type="ticket") == FIELDS["ticket"]


@pytest.mark.parametrize("error", [AccessDenied("no right", status=403), RecordGone("no type", status=404)])
def test_errors_that_do_not_pass_are_never_hidden_behind_an_old_snapshot(authentication, error):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    MemoryProvider.accounts["acme"].faults.append(error)
    with pytest.raises(type(error)):
        read_catalogue(authentication=authentication, entity_type="ticket", now=NOW + timedelta(hours=1))


def test_who_comes_while_somebody_else_reads_is_served_the_old_snapshot(authentication):
    read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    CatalogueSnapshot.objects.update(reading_until=NOW + timedelta(hours=2))
    found = read_catalogue(authentication=authentication, entity_type="ticket", now=NOW + timedelta(hours=1))
    assert found.fields == FIELDS["ticket"]
    assert asked("list_fields") == 1


def test_who_finds_nothing_and_a_reader_at_work_waits_for_the_reader(authentication, monkeypatch):
    snapshot = CatalogueSnapshot.objects.create(
        account=authentication.account, entity_type="ticket", reading_until=NOW + timedelta(minutes=1)
    )
    waits = []

    def the_reader_ends(seconds: float) -> None:
        waits.append(seconds)
        CatalogueSnapshot.objects.filter(pk=snapshot.pk).update(fetched_at=NOW, reading_until=None)

    monkeypatch.setattr(catalogue, "pause", the_reader_ends)
    assert read_catalogue(authentication=authentication, entity_type="ticket", now=NOW).definitions == []
    assert (len(waits), asked("list_fields")) == (1, 0)


def test_who_waited_for_a_reader_that_failed_gets_its_problem(authentication, monkeypatch):
    snapshot = CatalogueSnapshot.objects.create(
        account=authentication.account, entity_type="ticket", reading_until=NOW + timedelta(minutes=1)
    )
    failed = {"reading_until": None, "problem": "down"}
    monkeypatch.setattr(
        catalogue, "pause", lambda _s: CatalogueSnapshot.objects.filter(pk=snapshot.pk).update(**failed)
    )
    with pytest.raises(CRMUnavailable) as caught:
        read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    assert caught.value.message == "down"
    assert asked("list_fields") == 0


def test_who_would_wait_for_a_reader_while_all_places_are_taken_is_refused_at_once(
    authentication, monkeypatch, settings
):
    settings.INTERACTIVE_CALLS, places = 1, CallPlaces()
    monkeypatch.setattr(call_places, "BRISK_S", -1.0)
    monkeypatch.setattr(catalogue, "places", places)
    until = NOW + timedelta(minutes=1)
    CatalogueSnapshot.objects.create(account=authentication.account, entity_type="ticket", reading_until=until)
    with places.taking(), pytest.raises(PlacesTaken):
        read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)


def test_the_lease_of_a_reader_that_died_ends(authentication):
    CatalogueSnapshot.objects.create(
        account=authentication.account, entity_type="ticket", reading_until=NOW - timedelta(seconds=1)
    )
    found = read_catalogue(authentication=authentication, entity_type="ticket", now=NOW)
    assert found.fields == FIELDS["ticket"]


def test_titles_are_stored_in_one_language_whoever_reads_first(authentication, monkeypatch):
    seen = []
    ask = catalogue._list
    monkeypatch.setattr(catalogue, "_list", lambda *args: seen.append(translation.get_language()) or ask(*args))
    with translation.override("fr-ca"):
        read_entity_types(authentication=authentication)
        assert translation.get_language() == "fr-ca"
    assert seen == ["en"]
