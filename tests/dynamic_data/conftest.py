"""The in-memory CRM for tests of dynamic data."""

import pytest

from tests.dynamic_data.kept_links import KeptLinks
from tests.memory_provider import MemoryProvider


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield
    MemoryProvider.reset()


@pytest.fixture
def kept_links(monkeypatch):
    """The keeper of links, in memory."""
    keeper = KeptLinks()
    monkeypatch.setattr("crm_integrations.contact_links._keepers", [keeper])
    return keeper
