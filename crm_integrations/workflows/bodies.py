"""What a script asks a workflow for, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Workflow(StrEnum):
    """The workflows, as addresses name them."""

    SEARCH_ANI = "search-ani"
    SEARCH_EMAIL = "search-email"
    CUSTOM_SEARCH = "custom-search"
    CREATE_TICKET = "create-ticket"
    CREATE_USER = "create-user"
    CREATE_RECORD = "create-record"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every body may say besides its question. Blank = not said.

    `is_pinned`: whether records are linked to the contact; None = the workflow's own custom. `agent`: id or e-mail
    address of a CRM user. `ignored`: keys of the body that have no effect.
    """

    contact_id: str = ""
    agent: str = ""
    is_pinned: bool | None = None
    pops_screen: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhoneSearch:
    """Who calls from this number? `phone` as the script has it: withheld numbers are words."""

    phone: str
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class EmailSearch:
    """Who has this address?"""

    email: str
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class EntitySearch:
    """Records of one type that meet a filter in the CRM's own words."""

    entity_type: str
    filter: str


@dataclass(frozen=True, slots=True)
class CustomSearch:
    """Records of one or several types."""

    searches: tuple[EntitySearch, ...]
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to create, described in the CRM's own words. `entity_type` is blank when the workflow itself says it."""

    entity_type: str
    data: Mapping[str, Any]
    circumstances: Circumstances
