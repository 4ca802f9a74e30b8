"""Which records an interaction is written to: an ordered list of rules, walked per record type (product page §6). Pure.

The first rule that yields something wins. What the interaction itself tells is answered here, at planning; the rules
that need our tables or the CRM come after them and are walked by `services.record_matching`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from memorialization.events.schema import RecordLink, SourceValue
from memorialization.events.values import ValueRefused, read_record_id

LINKED, SCRIPT_VARIABLE, WRITTEN, SEARCH, CREATED, NONE = (
    *("linked", "script_variable", "written", "search", "created"),
    "none",
)
ID_SOURCES = ("contactId", "masterContactId")
"""Source fields by which a record carries the contact it was written for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an interaction's records when it is planned."""

    linked: frozenset[RecordLink] = frozenset()
    unlinked: frozenset[RecordLink] = frozenset()
    script_variables: Mapping[str, SourceValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetingSettings:
    """What a configuration decides; `record_variables`: record type → the script variable that carries an id.

    `person_type` and `case_type` are the CRM's; "" where it has no such thing.
    """

    uses_linked_records: bool = True
    uses_record_variables: bool = True
    record_variables: Mapping[str, str] = field(default_factory=dict)
    uses_written_records: bool = False
    searches_records: bool = False
    creates_cases: bool = False
    creates_people: bool = False
    checks_caller: bool = False
    person_type: str = ""
    case_type: str = ""

    def is_searched(self, entity_type: str) -> bool:
        """Whether the search rule finds records of this type."""
        return self.searches_records and bool(entity_type) and entity_type in {self.person_type, self.case_type}

    def is_created(self, entity_type: str) -> bool:
        """Whether the create rule makes records of this type."""
        if not entity_type:
            return False
        is_case, is_person = entity_type == self.case_type, entity_type == self.person_type
        return (self.creates_cases and is_case) or (self.creates_people and is_person)

    def is_caller_checked(self, entity_type: str) -> bool:
        """Whether records of this type are written only when they are the caller's."""
        return self.checks_caller and bool(entity_type) and entity_type == self.case_type


@dataclass(frozen=True, slots=True)
class Target:
    """The records of one type; without ids, `reason` (a key of memorialization.reasons) says why.

    `steps`: what each rule that asked the CRM came to, {"rule", "outcome", "params"}. `candidates`: records among which
    nobody chose, {"entity_type", "id", "title"}.
    """

    rule: str
    ids: tuple[str, ...] = ()
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetingRule:
    """`find` answers None when the rule has nothing to say; a target without ids is remembered as the reason."""

    key: str
    sentence: str | Promise
    find: Callable[[str, Evidence, TargetingSettings], Target | None]


NO_RECORD = "no_record"


def find_target(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target:
    """The records of one type that are to be written, or a target without ids."""
    nothing = Target(NONE, reason=NO_RECORD)
    for rule in TARGETING_RULES:
        target = rule.find(entity_type, evidence, settings)
        if target is not None and target.ids:
            return target
        nothing = target or nothing
    return nothing


def find_targets(entity_types: Iterable[str], evidence: Evidence, settings: TargetingSettings) -> dict[str, Target]:
    """The targets per record type, in the order given."""
    return {entity_type: find_target(entity_type, evidence, settings) for entity_type in entity_types}


def is_matching_due(entity_type: str, target: Target, settings: TargetingSettings, *, carries_ids: bool) -> bool:
    """Whether rules beyond those of this module have to be asked before the type is settled.

    `carries_ids`: a mapped field of the type holds the Contact ID or the Master Contact ID.
    """
    if target.ids:
        return target.rule == SCRIPT_VARIABLE and settings.is_caller_checked(entity_type)
    is_written = settings.uses_written_records and carries_ids
    return is_written or settings.is_searched(entity_type) or settings.is_created(entity_type)


def _find_linked(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target | None:
    if not settings.uses_linked_records:
        return None
    ids = sorted(link.id for link in evidence.linked if link.entity_type == entity_type)
    return Target(LINKED, tuple(ids)) if ids else None


def _find_in_variable(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target | None:
    name = settings.record_variables.get(entity_type, "").strip().lower()
    value = evidence.script_variables.get(name) if name and settings.uses_record_variables else None
    if value is None:
        return None
    try:
        record_id = read_record_id(value)
    except ValueRefused:
        return Target(SCRIPT_VARIABLE, reason="record_variable_unusable", params={"variable": name})
    if RecordLink(entity_type, record_id) in evidence.unlinked:
        return Target(SCRIPT_VARIABLE, reason="unlinked", params={"record": record_id})
    return Target(SCRIPT_VARIABLE, (record_id,))


TARGETING_RULES: tuple[TargetingRule, ...] = (
    TargetingRule(LINKED, _("Records linked to the interaction"), _find_linked),
    TargetingRule(SCRIPT_VARIABLE, _("A record id in a script variable"), _find_in_variable),
)
LATER_RULES: Mapping[str, str | Promise] = {
    WRITTEN: _("A record that carries the Contact ID or Master Contact ID"),
    SEARCH: _("A search for the person"),
    CREATED: _("A record created for the contact"),
}
"""Rules that need our tables or the CRM, in their order."""
NO_TARGET_SENTENCE = _("No rule found a record")


def describe_rule(key: str) -> str | Promise:
    """A targeting rule in words."""
    pure = next((rule.sentence for rule in TARGETING_RULES if rule.key == key), None)
    return pure or LATER_RULES.get(key, NO_TARGET_SENTENCE)
