"""Deliveries that wait for one record go as one write: the newest value per field, tags united. Pure.

Semantics §5.20: each field's result belongs to the delivery whose value was sent; an older value says *superseded by*
it, but only once the newer one is seen on the record, be it as the CRM spells it. Where it is not, the older value
stays to be sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from django.utils.functional import cached_property

from crm_integrations.providers.base import CRMRecord, CRMValue, FieldType
from memorialization.deliveries.field_sheets import Entry, FieldSheet, has_replaced
from memorialization.deliveries.precedence import Mark
from memorialization.models.deliveries import Delivery


@dataclass(frozen=True)
class Member:
    """One delivery of a group with its fields on their way, and the authentication that writes them."""

    delivery: Delivery
    authentication_id: int

    @cached_property
    def sheet(self) -> FieldSheet:
        """The working copy of the delivery's fields."""
        ended_at, key = self.delivery.segment_ended_at, self.delivery.segment_key
        return FieldSheet(self.delivery.fields, segment_ended_at=ended_at, segment_key=key)


class Group:
    """Deliveries to one record that share a write; in order of precedence, at least one."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)

    @cached_property
    def deliveries(self) -> list[Delivery]:
        """The deliveries, oldest value first."""
        return [member.delivery for member in self.members]

    @cached_property
    def sheets(self) -> list[FieldSheet]:
        """Their fields."""
        return [member.sheet for member in self.members]

    @property
    def is_settled(self) -> bool:
        """Whether nothing has to be sent any more."""
        return not any(sheet.pending for sheet in self.sheets)

    @property
    def pending_comment(self) -> Entry | None:
        """The note that still has to be posted; whoever carries one is a group of its own."""
        return next((sheet.pending_comment for sheet in self.sheets if sheet.pending_comment is not None), None)

    @property
    def must_look_first(self) -> bool:
        """Whether an earlier call for one of them may have been applied."""
        return any(delivery.must_look_first for delivery in self.deliveries)

    def values(self) -> dict[str, CRMValue]:
        """What one write for all of them carries."""
        values: dict[str, CRMValue] = {key: entry["rendered"] for key, (_member, entry) in self._newest().items()}
        for _sheet, entry in self._added():
            known = values.get(entry["crm_field"])
            values[entry["crm_field"]] = _unite(known, entry["rendered"])
        return values

    @cached_property
    def types(self) -> Mapping[str, FieldType]:
        """The types of all their fields."""
        return self.sheets[0].types if len(self.sheets) == 1 else merge_types(sheet.types for sheet in self.sheets)

    def supersede(self, marks: Mapping[str, Mark]) -> None:
        """Settle what a newer value on the record overtook."""
        for sheet in self.sheets:
            sheet.supersede(marks)

    def settle_what_stands(self, record: CRMRecord) -> None:
        """Settle what the record holds already; what is older than that yields."""
        for member, entry in self._newest().values():
            member.sheet.settle_if_standing(entry, record)
            self._yield_older(member, entry)
        for sheet, entry in self._added():
            sheet.settle_if_standing(entry, record)

    def verify(self, record: CRMRecord, *, is_comment_posted: bool | None = None) -> None:
        """Settle what was sent by what the record shows after it."""
        added = list(self._added())
        for member, entry in self._newest().values():
            member.sheet.verify(entry, record)
            self._yield_older(member, entry)
        for sheet, entry in added:
            sheet.verify(entry, record, is_comment_posted=is_comment_posted)

    def _newest(self) -> dict[str, tuple[Member, Entry]]:
        """CRM field → the pending entry with the highest precedence; of equals the later member's."""
        if len(self.members) == 1:
            only, replacing = self.members[0], self.members[0].sheet.replacing
            single = {entry["crm_field"]: (only, entry) for entry in replacing}
            if len(single) == len(replacing):
                return single
        newest: dict[str, tuple[Member, Entry]] = {}
        for member in self.members:
            for entry in member.sheet.replacing:
                known = newest.get(entry["crm_field"])
                if known is None or known[0].sheet.precedence(known[1]) <= member.sheet.precedence(entry):
                    newest[entry["crm_field"]] = (member, entry)
        return newest

    def _added(self) -> list[tuple[FieldSheet, Entry]]:
        """Pending tags and notes, which replace nothing."""
        return [(sheet, entry) for sheet in self.sheets for entry in sheet.adding]

    def _yield_older(self, winner: Member, entry: Entry) -> None:
        """Settle the older values of a field whose newest is on the record."""
        if len(self.members) == 1 or not has_replaced(entry):
            return
        for sheet in self.sheets:
            for older in sheet.pending:
                if older["crm_field"] == entry["crm_field"]:
                    sheet.yield_to(older, winner.delivery.pk)


def merge_types(parts: Iterable[Mapping[str, FieldType]]) -> Mapping[str, FieldType]:
    """The types of the fields of several, which all are of one record type."""
    merged: dict[str, FieldType] = {}
    for part in parts:
        merged.update(part)
    return merged


def form_group(waiting: Sequence[Member]) -> list[Member]:
    """The members, from the head on, that share the next write to their record.

    `waiting` in turn order. What goes alone forms a group of its own; another authentication begins another group,
    since it writes with another user's rights.
    """
    head = waiting[0]
    if travels_alone(head.delivery):
        return [head]
    group = [head]
    for each in waiting[1:]:
        if travels_alone(each.delivery) or each.authentication_id != head.authentication_id:
            break
        group.append(each)
    return group


@dataclass(frozen=True)
class NextCall:
    """Who is pushed next on a record, and who is kept back until the record was looked at for them."""

    members: Sequence[Member]
    kept_back: Sequence[Member] = ()


def choose_next(waiting: Sequence[Member], *, is_suspect: bool) -> NextCall:
    """The next call of a record on which something waits, in turn order; of a suspect record each goes alone.

    Where an earlier call may have been applied for more than share a write now, they are looked at one by one, the
    newest first: where its value stands, no older one may follow.
    """
    group = waiting[:1] if is_suspect else form_group(waiting)
    unsettled = list(takewhile(lambda each: each.delivery.must_look_first, waiting))
    if len(unsettled) > len(group):
        return NextCall(unsettled[-1:], kept_back=unsettled[:-1])
    return NextCall(group)


def travels_alone(delivery: Delivery) -> bool:
    """Whether a delivery shares no write: it carries a note, or was refused in company before."""
    return delivery.goes_alone or _has_note(delivery)


def _has_note(delivery: Delivery) -> bool:
    """Whether a note is still to be posted."""
    return any(
        entry.get("type") == FieldType.COMMENT and "rendered" in entry and not entry.get("result")
        for entry in delivery.fields
    )


def _unite(known: CRMValue, added: CRMValue) -> CRMValue:
    """Two lists of tags as one, without repetition; any other added value stands for itself."""
    if isinstance(known, list) and isinstance(added, list):
        return list(dict.fromkeys([*known, *added]))
    return added
