"""The verdict: what was promised by acknowledged events against what the CRM's records and their history show.

Pure. A *claim* is one value that one event wants on one record; a *write* is one change the record went through. Five
numbers come out, and all must be zero:

lost        a promised value that was never written, nor any newer one that would rightly have replaced it
duplicated  a note posted more than once, a tag added or standing more than once
unexpected  a change that no event asked for, or a record that holds what no write left there
inverted    an older value written over a newer one
dead        deliveries given up although nothing was wrong with them, or the other way round (set by the caller)
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EXAMPLES_MOST = 6
Place = tuple[str, str, str]  # account, record, field


class Kind(StrEnum):
    """How values of a field behave: the newest replaces, notes and tags pile up."""

    VALUE = "value"
    NOTE = "note"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Claim:
    """One value that an event wants somewhere. `precedence` orders values: (segment's end, segment, event's time)."""

    event_id: str
    account: str
    record: str
    field: str
    kind: Kind
    value: str
    precedence: tuple[Any, ...] = ()

    @property
    def place(self) -> Place:
        """Where it belongs."""
        return self.account, self.record, self.field


@dataclass(frozen=True, slots=True)
class Write:
    """One change in the history of a record, in the order of `number`. `is_removal`: a tag that was taken away."""

    number: int
    account: str
    record: str
    field: str
    kind: Kind
    value: str
    is_removal: bool = False
    is_public: bool = False

    @property
    def place(self) -> Place:
        """Where it happened."""
        return self.account, self.record, self.field


@dataclass(frozen=True)
class Promises:
    """What events asked for: those that were acknowledged, those that were sent and never answered, and the poison.

    What was never answered may stand or not. Poison is acknowledged and must not stand; it ends as a dead letter.
    """

    acknowledged: tuple[Claim, ...]
    unanswered: tuple[Claim, ...] = ()
    poison: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the CRM shows: the writes, and what stands now (values by place; notes and tags as lists)."""

    writes: tuple[Write, ...]
    values: Mapping[Place, str]
    lists: Mapping[Place, tuple[str, ...]]
    values_before: Mapping[Place, str] = field(default_factory=dict)
    lists_before: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Verdict:
    """The numbers, and some examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def note(self, name: str, words: str) -> None:
        """Count one violation."""
        self.counts[name] += 1
        if self.counts[name] <= EXAMPLES_MOST:
            self.examples.append(f"{name}: {words}")

    @property
    def is_clean(self) -> bool:
        """Whether everything is zero."""
        return not any(self.counts.values())


def check(promises: Promises, evidence: Evidence) -> Verdict:
    """Compare, place by place."""
    verdict = Verdict()
    asked = _by_place((*promises.acknowledged, *promises.unanswered))
    owed = _by_place(promises.acknowledged)
    poison = _by_place(promises.poison)
    written = _by_place(evidence.writes)
    for place in sorted(set(asked) | set(written) | set(poison)):
        writes = sorted(written.get(place, []), key=lambda write: write.number)
        claims = asked.get(place, [])
        kinds = {entry.kind for entry in (*claims, *writes, *poison.get(place, []))}
        judge = _check_value if kinds == {Kind.VALUE} else _check_pile
        judge(verdict, place, owed.get(place, []), claims, writes, evidence)
    return verdict


def _by_place(entries: Iterable[Any]) -> dict[Place, list[Any]]:
    sorted_out: dict[Place, list[Any]] = defaultdict(list)
    for entry in entries:
        sorted_out[entry.place].append(entry)
    return sorted_out


def _check_value(
    verdict: Verdict, place: Place, owed: list[Claim], claims: list[Claim], writes: list[Write], evidence: Evidence
) -> None:
    """A field that holds one value: the newest."""
    claim_of = {claim.value: claim for claim in claims}
    newest: tuple[Any, ...] | None = None
    for write in writes:
        claim = claim_of.get(write.value)
        if claim is None:
            verdict.note("unexpected", f"{place} was set to {write.value!r}, which nobody sent")
            continue
        if newest is not None and claim.precedence < newest:
            verdict.note("inverted", f"{place} was set to {write.value!r} after a newer value")
        newest = claim.precedence if newest is None else max(newest, claim.precedence)
    stands = evidence.values.get(place, "")
    left = writes[-1].value if writes else evidence.values_before.get(place, "")
    if stands != left:
        verdict.note("unexpected", f"{place} holds {stands!r} and was last set to {left!r}")
    for claim in owed:
        if newest is None or newest < claim.precedence:
            verdict.note("lost", f"{place} never got {claim.value!r} of {claim.event_id}, nor a newer value")


def _check_pile(
    verdict: Verdict, place: Place, owed: list[Claim], claims: list[Claim], writes: list[Write], evidence: Evidence
) -> None:
    """Notes and tags: each once, none taken away."""
    known = {claim.value for claim in claims}
    before = Counter(evidence.lists_before.get(place, ()))
    stands = Counter(evidence.lists.get(place, ()))
    added = Counter(write.value for write in writes if not write.is_removal)
    for write in writes:
        if write.is_removal:
            verdict.note("unexpected", f"{place}: {write.value!r} was taken away")
        elif write.value not in known:
            verdict.note("unexpected", f"{place}: {write.value!r} was added, which nobody sent")
        elif write.is_public:
            verdict.note("unexpected", f"{place}: {write.value!r} was made public")
    for value, count in stands.items():
        if value not in known and value not in before and not added[value]:
            verdict.note("unexpected", f"{place}: {value!r} stands and was never added")
        if value in known and max(count, added[value]) > 1:
            verdict.note("duplicated", f"{place}: {value!r} stands {count} times, added {added[value]} times")
    for claim in owed:
        if not stands[claim.value]:
            verdict.note("lost", f"{place} does not have {claim.value!r} of {claim.event_id}")
