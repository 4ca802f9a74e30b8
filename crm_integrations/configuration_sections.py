"""What the floors above keep in a configuration file: they register their section, so the core never imports upwards.

A section that nobody has registered is written as an empty list, and a file that fills it is refused with its path.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from crm_integrations.file_reading import FileList
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.problems import Problem

SECTION_KEYS = ("memorializationMappings", "dynamicDataMappings")
"""Every list that a file may have, in the order in which it is written."""


class SectionRefused(Exception):
    """What a section cannot store after all; the paths of its problems start inside its list."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class ConfigurationSection(ABC):
    """One list of the file."""

    @property
    @abstractmethod
    def view_permission(self) -> str:
        """What the list is written with; who may see the configuration has been asked."""

    @property
    @abstractmethod
    def create_permissions(self) -> tuple[str, ...]:
        """What creates from it."""

    @abstractmethod
    def write(self, configuration: Configuration) -> list[dict[str, Any]]:
        """The list as the file shows it."""

    @abstractmethod
    def check(self, entries: FileList, *, authentication: Authentication) -> tuple[Sequence[Any], list[Problem]]:
        """What is to be stored, and all that is wrong with it, asked of the live account; nothing is written."""

    @abstractmethod
    def store(self, contents: Sequence[Any], *, configuration: Configuration, actor: User | None) -> None:
        """Write what `check` answered, inside the caller's transaction. Raises SectionRefused."""

    @abstractmethod
    def describe(self, contents: Sequence[Any]) -> list[str]:
        """What would be stored, in words: one line each."""


_sections: dict[str, ConfigurationSection] = {}


def register_section(key: str, section: ConfigurationSection) -> None:
    """Add a section in `AppConfig.ready`; the same key again replaces it."""
    if key not in SECTION_KEYS:
        raise ValueError(f"Configuration files have no list called {key!r}.")
    _sections[key] = section


def find_section(key: str) -> ConfigurationSection | None:
    """Who keeps this list, if anybody does yet."""
    return _sections.get(key)


def registered_sections() -> list[tuple[str, ConfigurationSection]]:
    """Every list that somebody keeps, in the file's order."""
    return [(key, _sections[key]) for key in SECTION_KEYS if key in _sections]
