"""What a delivery will carry: mapping rows meet an interaction's values and become entries of `Delivery.fields`. Pure.

Also what has to be written again when data arrive late: only what differs from what was planned last (semantics §5.17).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.deliveries.precedence import rank_of
from memorialization.mappings.contents import MappingContents
from memorialization.rendering.values import RenderContext, Rendered, render
from memorialization.source_fields import BY_KEY

SCRIPT_VARIABLE = "script_variable"
WITHHELD = "withheld"
LEAST_STEP = timedelta(microseconds=1)
Entry = dict[str, Any]


@dataclass(frozen=True)
class PlannedRow:
    """A mapping row, with the mapping and version it comes from."""

    field: CRMField
    channel: str
    source: str
    mapping: str
    version: int

    @cached_property
    def is_variable(self) -> bool:
        """Whether its source is a script variable."""
        return self.channel == SCRIPT_VARIABLE

    @cached_property
    def is_time(self) -> bool:
        """Whether its source is one of the times."""
        return not self.is_variable and self.source in BY_KEY and BY_KEY[self.source].is_time

    @cached_property
    def entry(self) -> Entry:
        """What all entries of this row have in common."""
        return {
            "crm_field": self.field.key,
            "type": self.field.type.value,
            "label": str(self.field.title),
            "channel": self.channel,
            "source": self.source,
            "mapping": self.mapping,
            "version": self.version,
        }


@dataclass(slots=True)
class FieldRows:
    """The rows of one CRM field that concern an interaction: at most one of its channel and one script variable."""

    of_channel: PlannedRow | None = None
    of_variable: PlannedRow | None = None


@dataclass(frozen=True, slots=True)
class InteractionValues:
    """Stored values of an interaction: name → {"value", "occurred_at"}; `withheld` source keys are never written."""

    values: Mapping[str, Mapping[str, Any]]
    script_variables: Mapping[str, Mapping[str, Any]]
    withheld: frozenset[str] = frozenset()
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


Rows = dict[str, dict[str, FieldRows]]
"""Record type → CRM field → its rows, in the order of the mappings."""


def merge_rows(contents: Iterable[tuple[int, MappingContents]], *, channel: str) -> Rows:
    """The rows of several mappings that concern interactions of `channel`, as one (semantics §4.16).

    `contents`: version number and contents of each mapping. Of two rows for the same place, which saving refuses, the
    first counts.
    """
    merged: Rows = {}
    for number, mapping in contents:
        for entity in mapping.entities:
            for row in entity.rows:
                if row.channel not in {channel, SCRIPT_VARIABLE}:
                    continue
                rows = merged.setdefault(entity.entity_type, {}).setdefault(row.field.key, FieldRows())
                planned = PlannedRow(row.field, row.channel, row.source, mapping.name, number)
                if row.channel == SCRIPT_VARIABLE:
                    rows.of_variable = rows.of_variable or planned
                else:
                    rows.of_channel = rows.of_channel or planned
    return merged


def build_entries(rows: Mapping[str, FieldRows], interaction: InteractionValues) -> list[Entry]:
    """The entries of a full delivery to one record type."""
    return [_build_entry(_choose_row(found, interaction), interaction) for found in rows.values()]


def changed_entries(entries: Iterable[Entry], planned: Sequence[Sequence[Entry]]) -> list[Entry]:
    """The entries that say something new after earlier deliveries of the record, oldest first (`planned`).

    A note is never posted again, and what was withheld once stays withheld.
    """
    last: dict[str, Entry] = {}
    last_sent: dict[str, Entry] = {}
    withheld: set[tuple[str, str]] = set()
    for entry in (entry for earlier in planned for entry in earlier):
        last[entry["crm_field"]] = entry
        if "rendered" in entry:
            last_sent[entry["crm_field"]] = entry
        if entry.get("result") == WITHHELD:
            withheld.add((entry["crm_field"], entry["source"]))
    return [
        entry
        for entry in entries
        if (entry["crm_field"], entry["source"]) not in withheld
        and _is_news(entry, last.get(entry["crm_field"]), last_sent.get(entry["crm_field"]))
    ]


def ranked_above(entries: Iterable[Entry], planned: Iterable[Sequence[Entry]]) -> list[Entry]:
    """The entries, each newer than every value of its field that earlier deliveries of the record carry (`planned`).

    Also where it was heard of earlier, as of a script variable that arrives after what it wins over: what is planned
    later replaces what was planned before. That counts those skipped, too, whose values may stand.
    """
    highest: dict[str, datetime] = {}
    for entry in (entry for earlier in planned for entry in earlier if "rendered" in entry and rank_of(entry)):
        rank = datetime.fromisoformat(rank_of(entry))
        highest[entry["crm_field"]] = max(rank, highest.get(entry["crm_field"], rank))
    return [_ranked_above(entry, highest.get(entry["crm_field"])) for entry in entries]


def _ranked_above(entry: Entry, highest: datetime | None) -> Entry:
    """The entry; with a rank where its own time does not say that it is the newer."""
    if highest is None or "occurred_at" not in entry or datetime.fromisoformat(entry["occurred_at"]) > highest:
        return entry
    return entry | {"ranked_at": (highest + LEAST_STEP).isoformat()}


def is_sent(entries: Iterable[Entry]) -> bool:
    """Whether any entry has something to write."""
    return any("rendered" in entry for entry in entries)


def _is_news(entry: Entry, last: Entry | None, last_sent: Entry | None) -> bool:
    if entry.get("result") in {WITHHELD, "blank"}:
        return False
    if last is not None and _source_of(entry) == _source_of(last):
        return False
    if "rendered" not in entry:
        return True  # new data that are left out show up too
    if last_sent is None:
        return True
    return entry["type"] != FieldType.COMMENT and bool(entry["rendered"] != last_sent["rendered"])


def _source_of(entry: Entry) -> tuple[Any, ...]:
    return entry["channel"], entry["source"], entry.get("value")


def _choose_row(rows: FieldRows, interaction: InteractionValues) -> PlannedRow:
    """A script variable that is not blank wins over the channel's row."""
    variable, of_channel = rows.of_variable, rows.of_channel
    if variable is not None and (of_channel is None or variable.source in interaction.script_variables):
        return variable
    if of_channel is None:
        raise ValueError("a field needs a row")
    return of_channel


def _build_entry(row: PlannedRow, interaction: InteractionValues) -> Entry:
    stored = (interaction.script_variables if row.is_variable else interaction.values).get(row.source)
    entry = row.entry.copy()
    if stored is not None:
        entry["value"], entry["occurred_at"] = stored["value"], stored["occurred_at"]
    if not row.is_variable and row.source in interaction.withheld:
        return entry | {"result": WITHHELD, "reason": "contact_ended_first"}
    context = RenderContext(interaction.time_zone, row.is_time)
    entry.update(_outcome(render(row.field, stored["value"] if stored else None, context)))
    return entry


def _outcome(rendered: Rendered) -> Entry:
    outcome: Entry = {"rendered": rendered.value} if rendered.is_sent else {"result": rendered.result}
    if rendered.reason:
        outcome["reason"] = rendered.reason
    if rendered.params:
        outcome["params"] = dict(rendered.params)
    return outcome
