"""What the demo configuration maps, by the titles its fields have in the demo account.

Titles, not keys: the account numbers its own fields. The first row of the user is the source page's own example.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_integrations.providers.base import CRMField
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft
from memorialization.models.mappings import RowChannel

VOICE, DIGITAL, VARIABLE = RowChannel.VOICE, RowChannel.DIGITAL, RowChannel.SCRIPT_VARIABLE
BOTH = (VOICE, DIGITAL)
NAME = "Calls and chats"
DESCRIPTION = "Made for the demo. Change it as you like: it is not made again while the configuration exists."


class DemoFieldMissing(Exception):
    """The demo account has no field with this title."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A row wanted: a CRM field by its title, or by its key when it has the same one everywhere."""

    field: str
    source: str
    channels: tuple[RowChannel, ...]


WISHES: dict[str, tuple[Wish, ...]] = {
    "ticket": (
        Wish("CXone contact ID", "contactId", BOTH),
        Wish("CXone agent", "agentName", BOTH),
        Wish("Skill", "skillName", BOTH),
        Wish("Call direction", "direction", BOTH),
        Wish("Call date", "startTime", BOTH),
        Wish("Disposition", "dispositionName", BOTH),
        Wish("Call notes", "dispositionNotes", BOTH),
        Wish("comment", "dispositionNotes", (VOICE,)),
        Wish("Call recording", "recordingUrl", (VOICE,)),
        Wish("tags", "tags", (VOICE,)),
        Wish("Transcript", "transcriptionText", (DIGITAL,)),
        Wish("Handle time", "handletime", (VARIABLE,)),
        Wish("Queue time", "queuetime", (VARIABLE,)),
    ),
    "user": (
        Wish("name", "customerName", (DIGITAL,)),
        Wish("last_agent", "agentName", BOTH),
        Wish("last_skill", "skillName", BOTH),
        Wish("last_call", "startTime", BOTH),
        Wish("last_call_notes", "dispositionNotes", BOTH),
    ),
}


def draft_demo_mapping(fields_by_type: Mapping[str, Sequence[CRMField]]) -> MappingDraft:
    """The mapping with the account's own keys. Raises DemoFieldMissing."""
    entities = tuple(
        EntityDraft(entity_type, tuple(_draft_rows(wishes, fields_by_type[entity_type])))
        for entity_type, wishes in WISHES.items()
    )
    return MappingDraft(name=NAME, description=DESCRIPTION, is_active=True, entities=entities)


def _draft_rows(wishes: Sequence[Wish], fields: Sequence[CRMField]) -> list[RowDraft]:
    return [
        RowDraft(crm_field=_find_key(wish.field, fields), channel=channel, source=wish.source)
        for wish in wishes
        for channel in wish.channels
    ]


def _find_key(wanted: str, fields: Sequence[CRMField]) -> str:
    by_key = [field.key for field in fields if field.key == wanted]
    by_title = [field.key for field in fields if field.title == wanted]
    found = by_key + by_title
    if not found:
        raise DemoFieldMissing(wanted)
    return found[0]
