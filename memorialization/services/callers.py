"""Who called, as far as the CRM knows: the person by ANI, e-mail address or external id (product §6.4)."""

from dataclasses import dataclass, field
from typing import Any

from crm_integrations.models import Configuration
from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.providers.base import CRMConnection, CRMRecord, PersonClues
from memorialization.models import Interaction

NAME_SOURCES = ("customerName", "from")


def read_clues(*, interaction: Interaction, configuration: Configuration) -> PersonClues:
    """What an interaction tells of the person; nothing but what the configuration names is looked at."""
    ani = _text(interaction.values.get("ani")) if configuration.searches_by_phone else ""
    return PersonClues(
        phone=read_phone_number(ani, country=configuration.phone_country) if ani else None,
        email=_variable(interaction, configuration.email_variable),
        external_id=_variable(interaction, configuration.external_id_variable),
    )


def read_name(*, interaction: Interaction, clues: PersonClues) -> str:
    """What to call a person whom nobody knows."""
    told = next((name for key in NAME_SOURCES if (name := _text(interaction.values.get(key)))), "")
    phone = clues.phone.e164 if clues.phone else ""
    return told or clues.email or phone or clues.external_id


def _variable(interaction: Interaction, name: str) -> str:
    return _text(interaction.script_variables.get(name.strip().lower())) if name.strip() else ""


def _text(timed: dict[str, Any] | None) -> str:
    value = timed["value"] if timed else ""
    return "" if isinstance(value, (list, bool)) else str(value).strip()


@dataclass
class CallerSearch:
    """The people whom the clues fit, asked for once however many rules want to know."""

    connection: CRMConnection
    clues: PersonClues
    _found: list[CRMRecord] | None = field(default=None)

    @property
    def people(self) -> list[CRMRecord]:
        """Everybody whom a clue fits; nobody without a clue."""
        if self._found is None:
            self._found = self.connection.find_people(self.clues) if self.clues else []
        return self._found
