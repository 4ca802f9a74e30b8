"""The records of an interaction as they are frozen: by the rules at planning, or once the CRM was asked.

Planning answers what the interaction itself tells, without network. For the other types it says that matching is due;
whoever has the account's turn then asks (`matching`), stores what was found and has the interaction planned again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from crm_integrations.providers.registry import UnknownProvider, get_provider
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.plan import FieldRows, Rows
from memorialization.events.schema import RecordLink
from memorialization.models import Interaction
from memorialization.targeting import (
    ID_SOURCES,
    LINKED,
    Evidence,
    Target,
    TargetingSettings,
    find_target,
    is_matching_due,
)


def read_targeting(configuration: Configuration) -> TargetingSettings:
    """What the configuration decides about its records."""
    person_type, case_type = _read_types(configuration.integration_type)
    return TargetingSettings(
        uses_linked_records=configuration.uses_linked_records,
        uses_record_variables=configuration.uses_record_variables,
        record_variables={str(key): str(name) for key, name in configuration.record_variables.items()},
        uses_written_records=configuration.uses_written_records,
        searches_records=configuration.searches_records,
        creates_cases=configuration.creates_cases,
        creates_people=configuration.creates_people,
        checks_caller=configuration.checks_caller,
        person_type=person_type,
        case_type=case_type,
    )


def _read_types(integration_type: str) -> tuple[str, str]:
    try:
        provider = get_provider(integration_type)
    except UnknownProvider:
        return "", ""
    return provider.person_type, provider.case_type


def settle_targets(interaction: Interaction, rows: Rows, settings: TargetingSettings) -> bool:
    """Freeze the types that the rules answer by themselves; whether others have to be looked for."""
    missing = [entity_type for entity_type in rows if entity_type not in interaction.targets]
    if not missing:
        return False
    evidence = read_evidence(interaction)
    found: dict[str, Any] = {}
    for entity_type in missing:
        target = find_target(entity_type, evidence, settings)
        if not is_matching_due(entity_type, target, settings, carries_ids=any(id_fields(rows[entity_type]))):
            found[entity_type] = target_as_json(target)
    interaction.targets = interaction.targets | found
    return len(found) < len(missing)


def current_targets(interaction: Interaction, rows: Rows, settings: TargetingSettings) -> dict[str, Target]:
    """The frozen targets, with records linked since then and without those unlinked since then."""
    linked, unlinked = read_links(interaction.links), read_links(interaction.unlinks)
    targets = {}
    for entity_type in rows:
        if entity_type not in interaction.targets:
            continue
        target = target_from_json(interaction.targets[entity_type])
        added = _added_ids(entity_type, target, linked) if settings.uses_linked_records else ()
        if added:
            target = replace(target, rule=target.rule if target.ids else LINKED, ids=(*target.ids, *added))
            interaction.targets = interaction.targets | {entity_type: target_as_json(target)}
        wanted = tuple(pk for pk in target.ids if RecordLink(entity_type, pk) not in unlinked)
        targets[entity_type] = replace(target, ids=wanted, reason=target.reason or DeliveryReason.UNLINKED)
    return targets


def read_evidence(interaction: Interaction) -> Evidence:
    """What the interaction itself tells of its records."""
    variables = {name: timed["value"] for name, timed in interaction.script_variables.items()}
    return Evidence(read_links(interaction.links), read_links(interaction.unlinks), variables)


def read_links(stored: Sequence[Mapping[str, str]]) -> frozenset[RecordLink]:
    """Links as an interaction keeps them."""
    return frozenset(RecordLink(link["entity_type"], link["id"]) for link in stored)


def id_fields(fields: Mapping[str, FieldRows]) -> Iterator[tuple[CRMField, str]]:
    """The mapped CRM fields of a type that carry the contact, each with the source field that it takes."""
    for rows in fields.values():
        if rows.of_channel is not None and rows.of_channel.source in ID_SOURCES:
            yield rows.of_channel.field, rows.of_channel.source


def target_as_json(target: Target) -> dict[str, Any]:
    """A target as an interaction keeps it."""
    stored: dict[str, Any] = {
        "rule": target.rule,
        "ids": list(target.ids),
        "reason": "" if target.ids else target.reason,
        "params": dict(target.params),
    }
    if target.steps:
        stored["steps"] = [dict(step) for step in target.steps]
    if target.candidates:
        stored["candidates"] = [dict(candidate) for candidate in target.candidates]
    return stored


def target_from_json(stored: Mapping[str, Any]) -> Target:
    """And back."""
    return Target(
        stored["rule"],
        tuple(stored["ids"]),
        stored.get("reason", ""),
        stored.get("params", {}),
        tuple(stored.get("steps", ())),
        tuple(stored.get("candidates", ())),
    )


def _added_ids(entity_type: str, target: Target, linked: frozenset[RecordLink]) -> tuple[str, ...]:
    ids = sorted(link.id for link in linked if link.entity_type == entity_type)
    return tuple(record_id for record_id in ids if record_id not in target.ids)
