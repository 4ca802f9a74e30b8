"""A record is created once per occasion, whatever is lost on the way and however many ask at once."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock

import pytest
from django.db import connection as database

from crm_integrations.models import RecordCreation
from crm_integrations.providers.base import CreationRequest, CRMRecord, WriteAnswer
from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMUnavailable,
    RecordGone,
    RetryLater,
    ValueRefused,
)
from crm_integrations.services import record_creation
from crm_integrations.services.creation_leases import lease_length_s
from crm_integrations.services.record_creation import CreationBusy, contact_key, create_once
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
REQUEST = CreationRequest("ticket", {"subject": "Call"})
LOST = CRMUnavailable("The answer was lost.", may_have_applied=True)


class Ledger:
    """A CRM that creates: its records by external id, and what its next calls raise before or after they are done."""

    def __init__(self):
        self.made, self.calls = [], []
        self.faults, self.faults_after, self.hidden = deque(), deque(), 0
        self.lock = Lock()

    def create_record(self, request, *, key, types=None):
        with self.lock:
            self.calls.append("create")
            if self.faults:
                raise self.faults.popleft()
            record = CRMRecord(request.entity_type, str(len(self.made) + 1), "", dict(request.values))
            self.made.append((request.values.get("external_id", key), record))
            if self.faults_after:
                raise self.faults_after.popleft()
            return WriteAnswer(record, 201, {}, {})

    def find_by_external_id(self, entity_type, external_id):
        with self.lock:
            self.calls.append("find")
            if self.hidden:
                self.hidden -= 1
                return []
            return [record for key, record in self.made if key == external_id]


@pytest.fixture
def crm():
    return Ledger()


@pytest.fixture
def configuration(db):
    return make_configuration()


@pytest.fixture
def create(crm, configuration):
    def create(request=REQUEST, *, key="contact:1", now=NOW, **options):
        options.setdefault("patience_s", 0)
        return create_once(
            connection=crm, configuration=configuration, request=request, key=key, clock=lambda: now, **options
        )

    return create


def later(seconds):
    return NOW + timedelta(seconds=seconds)


def test_the_record_is_created_and_kept_and_the_next_caller_gets_it(crm, create):
    first = create(contact_id="1")
    assert first.is_new and first.record.record_id == "1" and first.shown.values == {"subject": "Call"}
    second = create(CreationRequest("ticket", {"subject": "Something else"}))
    assert not second.is_new and second.record == first.record and second.shown is None
    row = RecordCreation.objects.get()
    assert (row.state, row.record_id, row.contact_id, row.may_exist) == ("created", "1", "1", False)
    assert row.lease_until is None and row.finished_at == NOW and crm.calls == ["create"]
    assert crm.made[0][0] == row.external_id


def test_occasions_types_and_configurations_are_apart(crm, create):
    create()
    create(key="contact:2")
    create(CreationRequest("user", {"name": "A"}))
    create_once(connection=crm, configuration=make_configuration(), request=REQUEST, key="contact:1", patience_s=0)
    assert len(crm.made) == 4 == RecordCreation.objects.count()


def test_a_lost_answer_is_looked_into_at_once(crm, create):
    crm.faults_after.append(LOST)
    made = create()
    assert made.is_new and made.record.record_id == "1" and crm.calls == ["create", "find"]
    assert RecordCreation.objects.get().state == "created"


def test_a_record_with_an_id_of_the_scripts_own_is_found_by_that(crm, create):
    crm.faults_after.append(LOST)
    assert create(CreationRequest("user", {"name": "A", "external_id": "A-991"})).record.record_id == "1"


def test_what_may_still_come_settles_before_it_is_looked_for_and_asked_for_again(crm, create, settings):
    crm.faults.append(LOST)
    with pytest.raises(CRMUnavailable):
        create()
    with pytest.raises(CreationBusy) as busy:
        create(now=later(settings.SETTLE_S - 1))
    assert busy.value.retry_after_s == 1 and crm.calls == ["create", "find"]
    again = create(now=later(settings.SETTLE_S + 1))
    assert again.is_new and crm.calls == ["create", "find", "find", "create"] and len(crm.made) == 1
    assert RecordCreation.objects.get().external_id == crm.made[0][0]


def test_what_came_after_all_is_found_and_not_made_again(crm, create, settings):
    crm.faults_after.append(LOST)
    crm.hidden = 1
    with pytest.raises(CRMUnavailable):
        create()
    found = create(now=later(settings.SETTLE_S + 1))
    assert not found.is_new and found.record.record_id == "1" and len(crm.made) == 1


def test_another_request_after_a_lost_one_has_another_id_so_that_it_is_not_taken_for_the_first(crm, create, settings):
    crm.faults.append(LOST)
    with pytest.raises(CRMUnavailable):
        create()
    first_id = RecordCreation.objects.get().external_id
    create(CreationRequest("ticket", {"subject": "Other"}), now=later(settings.SETTLE_S + 1))
    assert RecordCreation.objects.get().external_id != first_id and len(crm.made) == 1


def test_a_ticket_that_shares_the_scripts_own_id_is_not_taken_for_the_one_whose_answer_was_lost(
    crm, create, configuration, settings
):
    request = CreationRequest("ticket", {"subject": "Call", "external_id": "A-991"})
    older = CRMRecord("ticket", "900", "", {}, created_at=(NOW - timedelta(days=1)).isoformat())
    crm.made.append(("A-991", older))
    RecordCreation.objects.update_or_create(
        configuration=configuration,
        entity_type="ticket",
        key="contact:0",
        defaults={"external_id": "x", "state": "created", "record_id": "2"},
    )
    crm.made.append(("A-991", CRMRecord("ticket", "2", "", {})))  # made for another contact
    RecordCreation.objects.filter(key="contact:1").update(created_at=NOW)
    crm.faults.append(LOST)
    with pytest.raises(CRMUnavailable):
        create(request)
    RecordCreation.objects.filter(key="contact:1").update(created_at=NOW)
    again = create(request, now=later(settings.SETTLE_S + 1))
    assert again.is_new and again.record.record_id == "3"


def test_an_id_of_the_scripts_own_that_is_too_long_to_keep_is_the_crms_to_refuse(crm, create):
    crm.faults.append(ValueRefused("External: is too long"))
    with pytest.raises(ValueRefused):
        create(CreationRequest("user", {"name": "A", "external_id": "9" * 300}))
    assert RecordCreation.objects.get().own_id == ""


@pytest.mark.parametrize(("first", "second"), [({"external_id": "A-991"}, {}), ({}, {"external_id": "A-991"})])
def test_another_request_looks_for_what_the_lost_one_carried(crm, create, settings, first, second):
    crm.faults_after.append(LOST)
    crm.hidden = 1
    with pytest.raises(CRMUnavailable):
        create(CreationRequest("ticket", {"subject": "Call", **first}))
    found = create(CreationRequest("ticket", {"subject": "Other", **second}), now=later(settings.SETTLE_S + 1))
    assert not found.is_new and found.record.record_id == "1" and len(crm.made) == 1


def test_after_a_process_that_died_in_its_call_the_record_is_looked_for_first(crm, create):
    crm.faults_after.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        create()
    with pytest.raises(CreationBusy):
        create(now=later(lease_length_s() - 1))
    found = create(now=later(lease_length_s()))
    assert not found.is_new and found.record.record_id == "1" and crm.calls == ["create", "find"]


def test_while_it_cannot_be_looked_for_nothing_is_created(crm, create, monkeypatch):
    crm.faults_after.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        create()

    def away(*_named):
        raise RetryLater("busy", retry_after_s=3)

    with monkeypatch.context() as patch, pytest.raises(RetryLater):
        patch.setattr(crm, "find_by_external_id", away)
        create(now=later(lease_length_s()))
    assert RecordCreation.objects.get().may_exist
    assert not create(now=later(lease_length_s())).is_new and len(crm.made) == 1


@pytest.mark.parametrize("refusal", [ValueRefused("Subject: cannot be blank"), RecordGone("no such parent")])
def test_a_refusal_is_the_callers_and_another_request_begins_anew(crm, create, refusal):
    crm.faults.append(refusal)
    with pytest.raises(type(refusal)):
        create()
    refused = RecordCreation.objects.get()
    assert refused.state == "refused" and not refused.may_exist and refused.finished_at == NOW
    assert create(CreationRequest("ticket", {"subject": "Better"})).is_new
    created = RecordCreation.objects.get()
    assert created.state == "created" and created.external_id != refused.external_id and crm.calls == ["create"] * 2


@pytest.mark.parametrize(
    "passing",
    [
        RetryLater("slow down", retry_after_s=9),
        AccessDenied("no"),
        Conflict("try again"),
        CRMUnavailable("refused", may_have_applied=False),
    ],
)
def test_what_was_certainly_not_applied_can_be_tried_again_at_once(crm, create, passing):
    crm.faults.append(passing)
    with pytest.raises(type(passing)):
        create()
    assert create().is_new and crm.calls == ["create", "create"]


def test_an_answer_without_the_record_is_looked_into(crm, create, monkeypatch):
    made = crm.create_record
    monkeypatch.setattr(
        crm, "create_record", lambda *asked, **more: made(*asked, **more) and WriteAnswer(None, 201, {}, {})
    )
    assert create().record.record_id == "1"


def test_the_key_of_a_contact_names_it():
    assert contact_key("415") == "contact:415"


@pytest.mark.django_db(transaction=True)
def test_callers_at_once_get_one_record(crm, configuration, monkeypatch):
    """Each on a database connection of its own; the later ones wait for the first."""
    monkeypatch.setattr(record_creation, "POLL_EVERY_S", 0.02)
    start = Barrier(4)

    def ask(number):
        try:
            start.wait()
            request = CreationRequest("ticket", {"subject": f"Call {number}"})
            return create_once(
                connection=crm, configuration=configuration, request=request, key="contact:1", patience_s=20
            )
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        creations = list(pool.map(ask, range(4)))
    assert len(crm.made) == 1 and [creation.is_new for creation in creations].count(True) == 1
    assert {creation.record.record_id for creation in creations} == {"1"}


@pytest.mark.django_db(transaction=True)
def test_callers_at_once_after_a_death_find_it_once(crm, configuration, monkeypatch):
    monkeypatch.setattr(record_creation, "POLL_EVERY_S", 0.02)
    crm.faults_after.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        create_once(connection=crm, configuration=configuration, request=REQUEST, key="k", clock=lambda: NOW)
    after = later(lease_length_s() + 1)

    def ask(_number):
        try:
            return create_once(
                connection=crm,
                configuration=configuration,
                request=REQUEST,
                key="k",
                patience_s=20,
                clock=lambda: after,
            )
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        creations = list(pool.map(ask, range(4)))
    assert {creation.record.record_id for creation in creations} == {"1"} and len(crm.made) == 1
