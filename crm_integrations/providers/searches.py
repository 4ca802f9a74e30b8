"""What is asked of a CRM besides reading and writing known records: who is it, which records, and a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_integrations.phone_numbers import PhoneNumber
from crm_integrations.providers.answers import CRMRecord
from crm_integrations.providers.fields import CRMValue

OPERATORS = (":", "<", ">", "<=", ">=")
"""How a criterion compares; ":" is equal, or contains for texts, as the CRM understands it."""


@dataclass(frozen=True, slots=True)
class SearchCriterion:
    """One condition on a field (its key, or a word that the CRM's search knows), or on any text when `field` is ""."""

    field: str
    value: str
    operator: str = ":"
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class PersonClues:
    """What is known of a person; blank = not known."""

    phone: PhoneNumber | None = None
    email: str = ""
    external_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.phone or self.email or self.external_id)


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """What a search found; not complete when the CRM has more than was asked for."""

    records: tuple[CRMRecord, ...] = ()
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class CreationRequest:
    """A record to create: canonical values by field key, and what only its provider understands, handed back as is."""

    entity_type: str
    values: Mapping[str, CRMValue]
    details: Mapping[str, Any] = field(default_factory=dict)


class CreationRefused(Exception):
    """The description of a new record is wrong; `errors`: (path, sentence for whoever wrote the script)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {sentence}" for path, sentence in errors))
        self.errors = tuple(errors)
