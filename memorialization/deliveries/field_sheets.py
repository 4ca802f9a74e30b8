"""The fields of one delivery while it is being pushed: what still has to be sent, and what is settled. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.functional import cached_property

from crm_integrations.providers.base import CRMRecord, CRMValue, FieldType
from memorialization.deliveries.outcome_reasons import DeliveryReason, FieldReason
from memorialization.deliveries.precedence import Mark, Precedence, precedence_of_entry, rank_of
from memorialization.deliveries.verification import (
    NOT_SHOWN,
    is_rewritten,
    is_shortened,
    judge_comment,
    judge_field,
    values_agree,
)
from memorialization.models.deliveries import Delivery, FieldResult

Entry = dict[str, Any]

KNOWN_TYPES = {field_type.value: field_type for field_type in FieldType}
ADDED = {FieldType.TAGS, FieldType.COMMENT}  # written by adding: they replace nothing, so nothing supersedes them
STANDING = {FieldResult.WRITTEN, FieldResult.SHORTENED, FieldResult.UNCHANGED}  # the record holds our value
FINE = STANDING | {FieldResult.SUPERSEDED}
INCOMPLETE = {FieldResult.SHORTENED, FieldResult.LEFT_OUT, FieldResult.NOT_APPLIED}


class FieldSheet:
    """A working copy of `Delivery.fields`; `entries` is what is stored back."""

    def __init__(self, fields: list[Entry], *, segment_ended_at: datetime, segment_key: str) -> None:
        self.entries: list[Entry] = [dict(entry) for entry in fields]  # what entries hold is replaced, never changed
        self._segment_ended_at = segment_ended_at
        self._segment_key = segment_key
        self._pending: list[Entry] | None = None  # until one of them is settled
        self._compared: list[Entry] = []  # with the record, during this push
        self._precedences: dict[str, Precedence] = {}  # most entries were heard of at the same moment

    @property
    def pending(self) -> Sequence[Entry]:
        """The entries that still have to be sent."""
        if self._pending is None:
            self._pending = [entry for entry in self.entries if "rendered" in entry and not entry.get("result")]
        return self._pending

    @property
    def replacing(self) -> list[Entry]:
        """The pending entries whose value replaces what the record holds."""
        return [entry for entry in self.pending if entry.get("type") not in ADDED]

    @property
    def adding(self) -> list[Entry]:
        """The pending entries whose value is added: tags and notes."""
        return [entry for entry in self.pending if entry.get("type") in ADDED]

    @property
    def pending_comment(self) -> Entry | None:
        """The note that still has to be posted."""
        return next((entry for entry in self.pending if entry.get("type") == FieldType.COMMENT), None)

    @cached_property
    def types(self) -> dict[str, FieldType]:
        """The types of all fields of the sheet that can be sent, for canonical answers."""
        return {
            entry["crm_field"]: KNOWN_TYPES[entry["type"]]
            for entry in self.entries
            if "rendered" in entry and entry.get("type") in KNOWN_TYPES
        }

    def precedence(self, entry: Entry) -> Precedence:
        """How new an entry's value is."""
        rank = rank_of(entry)
        if rank not in self._precedences:
            self._precedences[rank] = precedence_of_entry(
                entry, segment_ended_at=self._segment_ended_at, segment_key=self._segment_key
            )
        return self._precedences[rank]

    def supersede(self, marks: Mapping[str, Mark]) -> None:
        """Settle what a newer value on the record overtook."""
        for entry in self.replacing if marks else ():
            mark = marks.get(entry["crm_field"])
            if mark is not None and self.precedence(entry) < mark.precedence:
                self.yield_to(entry, mark.delivery_id)

    def yield_to(self, entry: Entry, delivery_id: int | None) -> None:
        """Settle an entry whose field holds the newer value of another delivery (None: one that was deleted since)."""
        params = {} if delivery_id is None else {"delivery": delivery_id}
        self._settle(entry, FieldResult.SUPERSEDED, FieldReason.SUPERSEDED, params)

    def settle_if_standing(self, entry: Entry, record: CRMRecord) -> None:
        """Settle an entry whose value the record holds already; comments are looked for elsewhere."""
        key, field_type = entry["crm_field"], read_type(entry)
        if field_type is FieldType.COMMENT or key not in record.values:
            return
        if not values_agree(entry["rendered"], record.values[key], field_type=field_type):
            return
        entry["shown"] = record.values[key]
        self._compared.append(entry)
        if is_shortened(entry.get("reason", "")):
            self._settle(entry, FieldResult.SHORTENED, entry["reason"], entry.get("params"))
        else:
            self._settle(entry, FieldResult.UNCHANGED, FieldReason.ALREADY_THERE)

    def settle_comment(self, result: FieldResult, reason: FieldReason) -> None:
        """Settle the pending note without sending it."""
        if self.pending_comment is not None:
            self._settle(self.pending_comment, result, reason)

    def refuse(self, words: Mapping[str, str], message: str) -> bool:
        """Leave out the fields the CRM refused with its words; returns whether any of them was pending.

        A CRM names fields by their keys, or only by the labels that its sentences begin with.
        """
        refused = [(entry, words[entry["crm_field"]]) for entry in self.pending if entry["crm_field"] in words]
        refused = refused or [(entry, said) for entry in self.pending if (said := _sentence_about(entry, message))]
        return self._leave_out(refused)

    def leave_out_the_rest(self, message: str) -> bool:
        """Leave out all that is pending, where other fields stand by an earlier write; returns whether any did."""
        has_standing = any(entry.get("result") in STANDING for entry in self.entries)
        return has_standing and self._leave_out([(entry, message) for entry in self.pending])

    def _leave_out(self, refused: Sequence[tuple[Entry, str]]) -> bool:
        for entry, said in refused:
            self._settle(entry, FieldResult.LEFT_OUT, FieldReason.REFUSED, {"words": said})
        return bool(refused)

    def verify(self, entry: Entry, record: CRMRecord, *, is_comment_posted: bool | None = None) -> None:
        """Settle an entry that was sent by what the record shows, a note by what the answer says of it."""
        sent, shown = entry["rendered"], record.values.get(entry["crm_field"], NOT_SHOWN)
        field_type, planned_reason = read_type(entry), entry.get("reason", "")
        if field_type is FieldType.COMMENT:
            verdict = judge_comment(is_posted=is_comment_posted, planned_reason=planned_reason)
        else:
            verdict = judge_field(sent, shown, field_type=field_type, planned_reason=planned_reason)
        entry["sent"], entry["shown"] = sent, None if shown is NOT_SHOWN else shown
        self._compared.append(entry)
        self._settle(entry, verdict.result, verdict.reason, entry.get("params"))

    def marks(self, delivery_id: int) -> dict[str, Mark]:
        """Marks of the fields where our value replaced another; values heard of at once share one."""
        marks: dict[str, Mark] = {}
        heard: dict[Precedence, Mark] = {}
        for entry in self._compared:
            if has_replaced(entry) and entry.get("type") not in ADDED:
                precedence = self.precedence(entry)
                if precedence not in heard:
                    heard[precedence] = Mark(precedence, delivery_id)
                marks[entry["crm_field"]] = heard[precedence]
        return marks

    def conclude(self) -> tuple[Delivery.State, str]:
        """State and reason of a delivery with nothing pending any more."""
        results = {entry.get("result") for entry in self.entries}
        if any(entry.get("reason") == FieldReason.OUTCOME_UNKNOWN for entry in self.entries):
            return Delivery.State.FAILED, DeliveryReason.OUTCOME_UNKNOWN
        if not results & FINE and results & INCOMPLETE:
            return Delivery.State.FAILED, DeliveryReason.NOTHING_APPLIED
        return (Delivery.State.PARTIAL if results & INCOMPLETE else Delivery.State.DELIVERED), ""

    def _settle(self, entry: Entry, result: FieldResult, reason: str, params: Mapping[str, Any] | None = None) -> None:
        if entry.get("reason") and "planned" not in entry:
            entry["planned"] = {"reason": entry["reason"], "params": entry.get("params", {})}  # for a replay
        entry["result"] = result.value
        entry["reason"] = str(reason)
        entry["params"] = dict(params or {})
        self._pending = None


def read_type(entry: Entry) -> FieldType | None:
    """The type of an entry's field, when the plan noted one that is known."""
    return KNOWN_TYPES.get(entry.get("type", ""))


def has_replaced(entry: Entry) -> bool:
    """Whether a settled value came to stand on the record, be it as the CRM spells it: nothing older may follow it."""
    if not entry.get("result"):
        return False
    result = FieldResult(entry["result"])
    return result in STANDING or is_rewritten(result, entry.get("shown"), field_type=read_type(entry))


def measure_values(values: Mapping[str, CRMValue]) -> dict[str, int]:
    """Field key → length of its value: what a redacted request shows in place of customers' text."""
    return {key: len(value) if isinstance(value, (str, list)) else len(str(value)) for key, value in values.items()}


def _sentence_about(entry: Entry, message: str) -> str:
    """The sentence of a refusal that begins with the field's label; empty without one."""
    label = entry.get("label")
    return next((said for said in message.split("; ") if label and said.startswith(f"{label}:")), "")
