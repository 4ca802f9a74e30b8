"""Walks the rules that need our tables or the CRM, for one record type of one interaction (product §6, rules 3 to 6).

Our own tables come before any search, which lags minutes behind (semantics §4.15). A rule whose question the CRM
refuses is passed over, and says so, unless it refuses everything; limits, outages and holds are raised, and the whole
walk is made again later.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.providers.base import CRMConnection, CRMRecord
from crm_integrations.providers.errors import AccessDenied, CRMError, Misconfigured, RecordGone, ValueRefused
from crm_integrations.services.record_creation import contact_key
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.plan import FieldRows, Rows
from memorialization.match_steps import (
    StepOutcome,
    Trail,
    ambiguous,
    as_candidate,
    belongs_to_caller,
    newest_case,
    without,
)
from memorialization.models import Interaction
from memorialization.services.access_checks import AccessCheck
from memorialization.services.callers import CallerSearch, read_clues
from memorialization.services.case_creation import CreationFailed, RecordMaker
from memorialization.services.frozen_targets import id_fields, read_evidence, read_targeting
from memorialization.services.written_records import WrittenSearch, find_own_records
from memorialization.targeting import (
    CREATED,
    LINKED,
    NONE,
    SCRIPT_VARIABLE,
    SEARCH,
    WRITTEN,
    Target,
    TargetingSettings,
    find_target,
)

T = TypeVar("T")
REFUSED_QUESTIONS = (AccessDenied, ValueRefused, Misconfigured, RecordGone, NotImplementedError)
TOLD_OUTCOMES = {"record_variable_unusable": StepOutcome.UNUSABLE, "unlinked": StepOutcome.UNLINKED}
CASES_READ = 25  # unsolved cases of a person, the newest
PEOPLE_ASKED = 3  # of several people, so many are asked for the cases among which somebody is to choose


@dataclass
class RecordMatcher:
    """One interaction's search for its records, over one connection."""

    connection: CRMConnection
    configuration: Configuration
    interaction: Interaction
    rows: Rows
    now: datetime
    settings: TargetingSettings = field(init=False)
    access: AccessCheck = field(init=False)
    caller: CallerSearch = field(init=False)
    maker: RecordMaker = field(init=False)

    def __post_init__(self) -> None:
        self.settings = read_targeting(self.configuration)
        self.access = AccessCheck(self.connection)
        clues = read_clues(interaction=self.interaction, configuration=self.configuration)
        self.caller = CallerSearch(self.connection, clues)
        self.maker = RecordMaker(
            self.connection, self.configuration, self.interaction, self.settings, self.caller, self.access
        )

    @property
    def missing(self) -> list[str]:
        """The types that are not settled; people first, for whom a case may be made."""
        types = [entity_type for entity_type in self.rows if entity_type not in self.interaction.targets]
        return sorted(types, key=lambda entity_type: entity_type != self.settings.person_type)

    def match(self, entity_type: str) -> Target:
        """The records of one type. Raises CRMError for what may go better later."""
        return _Walk(self, entity_type, self.rows[entity_type]).find()

    def match_again(self, entity_type: str, *, gone: Collection[str]) -> Target:
        """The same without records that the CRM no longer has; nothing is created in their place."""
        return _Walk(self, entity_type, self.rows.get(entity_type, {}), frozenset(gone)).find_existing()


class _Walk:
    """The rules, one after the other, for one type."""

    def __init__(
        self,
        matcher: RecordMatcher,
        entity_type: str,
        fields: Mapping[str, FieldRows],
        gone: frozenset[str] = frozenset(),
    ) -> None:
        self.matcher, self.entity_type, self.fields = matcher, entity_type, fields
        self.settings, self.trail = matcher.settings, Trail(matcher.now)
        self.evidence = read_evidence(matcher.interaction)
        unlinked = {link.id for link in self.evidence.unlinked if link.entity_type == entity_type}
        self.excluded = gone | unlinked

    def find(self) -> Target:
        """The first rule that yields something, else why none did."""
        told = find_target(self.entity_type, self.evidence, self.settings)
        if told.ids:
            return self._finish(self._check_caller(told, told.ids))
        self._note_told(told)
        rules = (self._find_written, self._find_created, self._search, self._create)
        return self._walk(rules, otherwise=told)

    def _note_told(self, told: Target) -> None:
        """What the rules that need nobody's answer came to."""
        if self.settings.uses_linked_records:
            self.trail.add(LINKED, StepOutcome.NOTHING)
        if self.settings.uses_record_variables and self.settings.record_variables.get(self.entity_type):
            self.trail.add(SCRIPT_VARIABLE, TOLD_OUTCOMES.get(told.reason, StepOutcome.NOTHING), **told.params)

    def find_existing(self) -> Target:
        """The same by the rules that find what is there."""
        return self._walk((self._find_written, self._search), otherwise=Target(NONE, reason=DeliveryReason.RECORD_GONE))

    def _walk(self, rules: Sequence[Callable[[], Target | None]], *, otherwise: Target) -> Target:
        for rule in rules:
            target = rule()
            if target is not None:
                return self._finish(target)
        return self._finish(otherwise)

    def _finish(self, target: Target) -> Target:
        return replace(target, steps=tuple(self.trail.steps))

    def _find_written(self) -> Target | None:
        """“A record that carries the Contact ID or Master Contact ID in a mapped field (written earlier).”"""
        if not self.settings.uses_written_records or not any(id_fields(self.fields)):
            return None
        matcher = self.matcher
        own = find_own_records(interaction=matcher.interaction, entity_type=self.entity_type)
        search = WrittenSearch.of(matcher.connection, self.entity_type, matcher.interaction, self.fields)
        found = self._ask(WRITTEN, lambda: search.find(own=own, excluded=self.excluded))
        target = self._choose(WRITTEN, found)
        return self._check_caller(target, target.ids, found) if target is not None and target.ids else target

    def _find_created(self) -> Target | None:
        """What was created for this contact, whoever asked for it: our own tables know at once."""
        row = RecordCreation.objects.filter(
            configuration=self.matcher.configuration,
            entity_type=self.entity_type,
            key=contact_key(self.matcher.interaction.contact.contact_id),
            state=RecordCreation.State.CREATED,
        ).first()
        if row is None or row.record_id in self.excluded:
            return None
        self.trail.add(CREATED, StepOutcome.FOUND)
        return Target(CREATED, (row.record_id,))

    def _search(self) -> Target | None:
        """“User by ANI … or e-mail or external id, then that user's newest unsolved ticket (within N hours).”"""
        if not self.settings.is_searched(self.entity_type) or self._is_being_created():
            return None
        if not self.matcher.caller.clues:
            self.trail.add(SEARCH, StepOutcome.NO_CLUE)
            return None
        people = self._ask(SEARCH, lambda: self.matcher.caller.people)
        if people is None or self.entity_type == self.settings.person_type:
            return self._choose(SEARCH, None if people is None else without(people, self.excluded))
        if len(people) > 1:
            cases = self._cases_of_several(people)
            return self._choose(SEARCH, cases, is_ambiguous=True) if cases else self._leave_open(people)
        return self._find_case(people[0]) if people else self._choose(SEARCH, [])

    def _is_being_created(self) -> bool:
        """Whether another part of the contact has begun to make the record: its creation is finished, not doubled."""
        return (
            self.settings.is_created(self.entity_type)
            and RecordCreation.objects.filter(
                configuration=self.matcher.configuration,
                entity_type=self.entity_type,
                key=contact_key(self.matcher.interaction.contact.contact_id),
                state=RecordCreation.State.STARTED,
            ).exists()
        )

    def _find_case(self, person: CRMRecord) -> Target | None:
        cases = self._ask(SEARCH, lambda: self._open_cases(person))
        if cases is None:
            return None
        age_hours = self.matcher.configuration.case_age_hours
        case = newest_case(cases, now=self.matcher.now, age_hours=age_hours)
        if case is None:
            self.trail.add(SEARCH, StepOutcome.NO_OPEN_CASE, hours=age_hours)
            return None
        return self._choose(SEARCH, [case])

    def _open_cases(self, person: CRMRecord) -> list[CRMRecord]:
        return without(self.matcher.connection.list_open_records(person.id, limit=CASES_READ), self.excluded)

    def _cases_of_several(self, people: Sequence[CRMRecord]) -> list[CRMRecord]:
        """What a person may choose from when it is not known who called."""
        cases: list[CRMRecord] = []
        for person in people[:PEOPLE_ASKED]:
            cases += self._ask(SEARCH, lambda one=person: self._open_cases(one)) or []  # type: ignore[misc]
        return cases

    def _create(self) -> Target | None:
        """“Create the ticket (or user), with an idempotency key.”"""
        if not self.settings.is_created(self.entity_type):
            return None
        try:
            record_id = self.matcher.maker.create(self.entity_type, self.trail)
        except CreationFailed as failed:
            self.trail.add(CREATED, StepOutcome.REFUSED, words=failed.words)
            return Target(CREATED, reason="creation_refused", params={"words": failed.words})
        if record_id is None:
            people = self._ask(SEARCH, lambda: self.matcher.caller.people) or []
            if len(people) < 2:
                return None
            is_person = self.entity_type == self.settings.person_type
            return self._choose(SEARCH, people) if is_person else self._leave_open(people)
        self.trail.add(CREATED, StepOutcome.CREATED)
        return Target(CREATED, (record_id,))

    def _leave_open(self, people: Sequence[CRMRecord]) -> Target:
        """Several people fit, and there is no case of theirs to choose from: somebody has to find out who it was."""
        self.trail.add(SEARCH, StepOutcome.SEVERAL_PEOPLE)
        return ambiguous(SEARCH, people, reason="ambiguous_person")

    def _choose(self, rule: str, found: Sequence[CRMRecord] | None, *, is_ambiguous: bool = False) -> Target | None:
        """One is taken, several are left to a person, none leads to the next rule; None: the question was refused."""
        if found is None:
            return None
        if is_ambiguous or len(found) > 1:
            self.trail.add(rule, StepOutcome.AMBIGUOUS, count=len(found))
            return ambiguous(rule, found)
        self.trail.add(rule, StepOutcome.FOUND if found else StepOutcome.NOTHING)
        return Target(rule, (found[0].id,)) if found else None

    def _check_caller(self, target: Target, ids: Sequence[str], read: Sequence[CRMRecord] | None = None) -> Target:
        """A case whose owner is known and is not the caller is not written, where the configuration asks for that."""
        if not self.settings.is_caller_checked(self.entity_type) or target.rule not in {SCRIPT_VARIABLE, WRITTEN}:
            return target
        records = read or self._ask(target.rule, lambda: self._read(ids)) or []
        people = self._ask(SEARCH, lambda: self.matcher.caller.people) or [] if records else []
        verdicts = {belongs_to_caller(record.owner_id, {person.id for person in people}) for record in records}
        if False in verdicts:
            self.trail.add(target.rule, StepOutcome.NOT_CALLERS)
            candidates = tuple(as_candidate(record) for record in records)
            return Target(target.rule, reason="not_callers_case", candidates=candidates)
        is_known = verdicts == {True}
        self.trail.add(target.rule, StepOutcome.CALLER_CONFIRMED if is_known else StepOutcome.CALLER_UNKNOWN)
        return target

    def _read(self, ids: Sequence[str]) -> list[CRMRecord]:
        return list(self.matcher.connection.get_records(self.entity_type, list(ids)).values())

    def _ask(self, rule: str, question: Callable[[], T]) -> T | None:
        """The answer; None when the CRM refuses the question, which is said."""
        try:
            return question()
        except REFUSED_QUESTIONS as error:
            self.matcher.access.accept(error, self.entity_type)
            words = error.message if isinstance(error, CRMError) else ""
            self.trail.add(rule, StepOutcome.PASSED_OVER, words=words)
            return None
