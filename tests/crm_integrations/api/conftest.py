"""The in-memory CRM for tests of the API."""

import pytest

from tests.memory_provider import MemoryProvider


@pytest.fixture(autouse=True)
def memory_crm(settings):
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield
    MemoryProvider.reset()
