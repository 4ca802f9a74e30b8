"""The in-memory provider keeps the contract, so what core tests prove holds for real providers."""

import pytest

from crm_integrations.providers.errors import GrantEnded
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
        return LiveAccount(MemoryProvider(), "acme", "good", "verifier", "1", "subject")

    def test_an_anonymous_user_is_a_user_who_is_gone(self, account, grant):
        memory = MemoryProvider.accounts["acme"]
        memory.user = type(memory.user)("", "Anonymous user", "", "")
        with pytest.raises(GrantEnded):
            account.connect(grant.access_token).identify()
