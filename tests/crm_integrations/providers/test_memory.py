"""The in-memory provider keeps the contract, so what core tests prove holds for real providers."""

import pytest

from crm_integrations.providers.errors import CRMUnavailable, GrantEnded
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
