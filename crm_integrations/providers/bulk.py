"""Bulk writes in the port's words: many records handed to the CRM at once, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class BulkOutcome(NamedTuple):
    """What became of one record of a bulk write: `error` is the CRM's name of the failure, `words` its own words."""

    succeeded: bool
    error: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far a bulk write is; `handle` is what to ask for it by.

    Finished means worked through, not successful: `outcomes` say that by record id, and a record without one is one
    of which nobody knows. `done` and `total` are None when the CRM does not tell.
    """

    handle: str
    is_finished: bool
    done: int | None = None
    total: int | None = None
    outcomes: Mapping[str, BulkOutcome] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class BulkSearch:
    """What the CRM's recent bulk writes show. `is_certain`: each is over and names its records, so that one which is
    not among them was never accepted, or was forgotten.
    """

    progress: BulkProgress | None
    is_certain: bool
