"""The in-memory provider keeps the contract, so what core tests prove holds for real providers."""

import pytest

from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.providers.base import CreationRefused, PersonClues
from crm_integrations.providers.errors import CRMUnavailable, GrantEnded, ValueRefused
from tests.crm_integrations.providers.contract import LiveAccount, ProviderContract
from tests.memory_provider import MemoryProvider


class TestMemoryProvider(ProviderContract):
    @pytest.fixture
    def account(self):
        MemoryProvider.reset()
        memory = MemoryProvider.accounts["acme"]
        memory.records["ticket", "1"] = {"subject": "Help"}
        memory.is_checking_tokens = True
        memory.codes = {"good"}
        memory.polls_per_job = 1
        return LiveAccount(
            MemoryProvider(),
            "acme",
            "good",
            "verifier",
            "1",
            "subject",
            demote=lambda: setattr(memory, "may_write", False),
            let_time_pass=memory.work_jobs,
            agent="ada@example.com",
            set_status=lambda record_id, status: memory.records["ticket", record_id].update(status=status),
            make_search_late=lambda: setattr(memory, "is_search_late", True),
            forbid_screens=lambda: setattr(memory, "can_show_to_agents", False),
            body_of=lambda entity_type, attributes: {entity_type: attributes},
        )

    @pytest.fixture
    def memory(self, account):
        return MemoryProvider.accounts[account.address]

    def test_a_bulk_write_can_get_stuck(self, memory, connection):
        memory.stuck_jobs = 1
        handle = connection.update_records("ticket", {"1": {"subject": "A"}}).handle
        memory.work_jobs()
        assert not any(connection.read_bulk([handle])[handle].is_finished for _poll in range(3))
        assert memory.records["ticket", "1"]["subject"] == "Help"

    @pytest.mark.parametrize(("is_applied", "subject"), [(True, "A"), (False, "Help")])
    def test_a_bulk_write_can_vanish_applied_or_not(self, memory, connection, is_applied, subject):
        memory.vanishing_jobs.append(is_applied)
        handle = connection.update_records("ticket", {"1": {"subject": "A"}}).handle
        memory.work_jobs()
        assert connection.read_bulk([handle]) == {}
        assert memory.records["ticket", "1"]["subject"] == subject

    def test_the_answer_to_a_bulk_write_can_get_lost(self, memory, connection):
        memory.lost_bulk_answers = 1
        with pytest.raises(CRMUnavailable) as caught:
            connection.update_records("ticket", {"1": {"subject": "A"}})
        assert caught.value.may_have_applied
        assert list(memory.jobs) == ["job-1"]

    def test_a_record_can_be_refused_or_left_unnamed_in_bulk(self, memory, connection):
        memory.records["ticket", "2"] = {}
        memory.refused_in_bulk["ticket", "1"] = ("TicketUpdateFailed", "Subject: is too long")
        memory.unnamed_in_bulk.add(("ticket", "2"))
        handle = connection.update_records("ticket", {"1": {"subject": "A"}, "2": {"subject": "B"}}).handle
        memory.work_jobs()
        outcomes = connection.read_bulk([handle])[handle].outcomes
        assert list(outcomes) == ["1"]
        assert outcomes["1"].words == "Subject: is too long"
        assert memory.records["ticket", "2"] == {"subject": "B"}

    def test_an_anonymous_user_is_a_user_who_is_gone(self, account, grant):
        memory = MemoryProvider.accounts["acme"]
        memory.user = type(memory.user)("", "Anonymous user", "", "")
        with pytest.raises(GrantEnded):
            account.connect(grant.access_token).identify()


@pytest.fixture
def world():
    MemoryProvider.reset()
    return MemoryProvider.accounts["acme"]


@pytest.fixture
def live(world):
    return MemoryProvider().connect("acme", access_token="", options={})


def case_of(owner_id="7"):
    return MemoryProvider().build_case(subject="Call", text="Nobody knew", owner_id=owner_id)


def test_a_person_is_found_by_a_further_number_too(world, live):
    world.records["user", "7"] = {"name": "Zoé", "phone": "(514) 555-0100"}
    world.identities["7"].append("+1 514 555 0199")
    for number in ("+15145550100", "514-555-0199"):
        found = live.find_people(PersonClues(phone=read_phone_number(number, country="CA")))
        assert [person.id for person in found] == ["7"]
    assert live.find_people(PersonClues(phone=read_phone_number("+15145550111", country="CA"))) == []


def test_a_search_does_not_see_what_is_new_until_it_is_indexed(world, live):
    world.is_search_late = True
    made = live.create_record(case_of(), key="k1").record
    criteria = MemoryProvider().read_filter('subject:"Call" -status:closed')
    assert live.find_records("ticket", criteria).records == ()
    assert live.list_open_records("7") == [made]
    assert live.find_by_external_id("ticket", "k1") == [made]
    world.index()
    assert live.find_records("ticket", criteria).records == (made,)


def test_a_key_creates_one_record(world, live):
    world.faults_after_applying.append(CRMUnavailable("lost", may_have_applied=True))
    with pytest.raises(CRMUnavailable):
        live.create_record(case_of(), key="k1")
    made = live.create_record(case_of(), key="k1").record
    assert list(world.records) == [("ticket", made.id)]
    with pytest.raises(ValueRefused):
        live.create_record(case_of("8"), key="k1")


def test_only_a_closed_ticket_is_followed_up(world, live):
    made = live.create_record(case_of(), key="k1").record
    follow_up = MemoryProvider().build_follow_up(made, "Again", "They called again")
    with pytest.raises(ValueRefused):
        live.create_record(follow_up, key="k2")
    world.closed.add(("ticket", made.id))
    assert live.create_record(follow_up, key="k2").record.owner_id == "7"
    assert len(live.list_open_records("7")) == 1


def test_lookup_fields_are_named(world, live):
    world.records["user", "7"] = {"name": "Zoé"}
    made = live.create_record(case_of(), key="k1").record
    read = live.get_records("ticket", [made.id], named=["requester_id", "assignee_id"])
    assert read[made.id].names == {"requester_id": "Zoé"}


def test_what_is_shown_to_agents_is_known(world, live):
    assert live.show_to_agent("ada@example.com", "ticket", "1")
    world.can_show_to_agents = False
    assert not live.show_to_agent("ada@example.com", "ticket", "2")
    assert world.screens == {("ada@example.com", "ticket", "1")}


def test_a_script_describes_records_by_their_fields():
    provider = MemoryProvider()
    body = {"ticket": {"subject": "Call", "contact_id": "4"}}
    assert provider.read_creation("ticket", body).values == body["ticket"]
    with pytest.raises(CreationRefused) as caught:
        provider.read_creation("ticket", body, is_standard_only=True)
    assert [path for path, _sentence in caught.value.errors] == ["ticket.contact_id"]
