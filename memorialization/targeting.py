"""Which records an interaction is written to: an ordered list of rules, walked per record type (product page §6). Pure.

The first rule that yields something wins. Rules of a later kind (searches, creating) join `TARGETING_RULES` in place.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from memorialization.events.schema import RecordLink, SourceValue
from memorialization.events.values import ValueRefused, read_record_id


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an interaction's records when it is planned."""

    linked: frozenset[RecordLink] = frozenset()
    unlinked: frozenset[RecordLink] = frozenset()
    script_variables: Mapping[str, SourceValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetingSettings:
    """What a configuration decides; `record_variables`: record type → the script variable that carries an id."""

    uses_linked_records: bool = True
    uses_record_variables: bool = True
    record_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The records of one type; without ids, `reason` (a key of memorialization.reasons) says why."""

    rule: str
    ids: tuple[str, ...] = ()
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetingRule:
    """`find` answers None when the rule has nothing to say; a target without ids is remembered as the reason."""

    key: str
    sentence: str | Promise
    find: Callable[[str, Evidence, TargetingSettings], Target | None]


NO_RECORD = "no_record"


def find_target(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target:
    """The records of one type that are to be written, or a target without ids."""
    nothing = Target("none", reason=NO_RECORD)
    for rule in TARGETING_RULES:
        target = rule.find(entity_type, evidence, settings)
        if target is not None and target.ids:
            return target
        nothing = target or nothing
    return nothing


def find_targets(entity_types: Iterable[str], evidence: Evidence, settings: TargetingSettings) -> dict[str, Target]:
    """The targets per record type, in the order given."""
    return {entity_type: find_target(entity_type, evidence, settings) for entity_type in entity_types}


def _find_linked(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target | None:
    if not settings.uses_linked_records:
        return None
    ids = sorted(link.id for link in evidence.linked if link.entity_type == entity_type)
    return Target("linked", tuple(ids)) if ids else None


def _find_in_variable(entity_type: str, evidence: Evidence, settings: TargetingSettings) -> Target | None:
    name = settings.record_variables.get(entity_type, "").strip().lower()
    value = evidence.script_variables.get(name) if name and settings.uses_record_variables else None
    if value is None:
        return None
    try:
        record_id = read_record_id(value)
    except ValueRefused:
        return Target("script_variable", reason="record_variable_unusable", params={"variable": name})
    if RecordLink(entity_type, record_id) in evidence.unlinked:
        return Target("script_variable", reason="unlinked", params={"record": record_id})
    return Target("script_variable", (record_id,))


TARGETING_RULES: tuple[TargetingRule, ...] = (
    TargetingRule("linked", _("Records linked to the interaction"), _find_linked),
    TargetingRule("script_variable", _("A record id in a script variable"), _find_in_variable),
)
NO_TARGET_SENTENCE = _("No rule found a record")


def describe_rule(key: str) -> str | Promise:
    """A targeting rule in words."""
    return next((rule.sentence for rule in TARGETING_RULES if rule.key == key), NO_TARGET_SENTENCE)
