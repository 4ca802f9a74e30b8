"""Fixtures for the engine's tests: the in-memory CRM, and a clock."""

from collections.abc import Iterator

import pytest

from tests.engine import FakeClock
from tests.memory_provider import MemoryProvider


@pytest.fixture
def memory_crm(settings: object) -> Iterator[type[MemoryProvider]]:
    """The in-memory CRM as the only integration type, empty before and after."""
    settings.CRM_PROVIDERS = ["tests.memory_provider.MemoryProvider"]
    MemoryProvider.reset()
    yield MemoryProvider
    MemoryProvider.reset()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()
