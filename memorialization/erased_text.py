"""What stays of stored rows when customers' text is taken out of them: ids, times, states, keys of reasons. Pure.

The ids keep a repeated event from having a second effect, and a note from being posted twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memorialization.events.parsing import OWN_KEYS

TOLD_OF_AGENTS = frozenset({"agentId", "agentName", "to", "dnis", "skillId", "skillName"})
KEPT_SOURCES = frozenset({"contactId", "masterContactId", "interactionId", "agentId", "startTime", "endTime"})
"""Source fields that tell segments apart."""
NOT_ABOUT_CUSTOMERS = TOLD_OF_AGENTS | KEPT_SOURCES
"""Source fields by which nobody is looked for: an agent, or the centre's own number, would be everybody's."""
KEPT_OWN_KEYS = OWN_KEYS - {"fields", "scriptVariables", "records"}
KEPT_ENTRY_KEYS = frozenset(
    {
        "crm_field",
        "type",
        "label",
        "channel",
        "source",
        "result",
        "reason",
        "occurred_at",
        "ranked_at",
        "mapping",
        "version",
    }
)
KEPT_PARAMS = frozenset({"delivery", "record", "count", "hours", "variable", "length", "limit"})


def customers_texts(body: Mapping[str, Any]) -> Iterator[str]:
    """Whatever an event may tell of a customer, value by value; keys that nobody knows are among it."""
    inner, variables = body.get("fields"), body.get("scriptVariables")
    holders = [{key: value for key, value in body.items() if key not in OWN_KEYS}]
    holders += [holder for holder in (inner, variables) if isinstance(holder, dict)]
    for holder in holders:
        for key, value in holder.items():
            if holder is variables or key not in NOT_ABOUT_CUSTOMERS:
                yield from _texts_in(value)


def _texts_in(value: Any) -> Iterator[str]:
    """Single values, however deep they lie in lists and objects."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)
    elif value is not None:
        yield str(value)


def bare_event(body: Mapping[str, Any]) -> dict[str, Any]:
    """An event's body without text; it can still be read as the event it is."""
    bare = {key: value for key, value in body.items() if key in KEPT_OWN_KEYS | KEPT_SOURCES}
    inner, records = body.get("fields"), body.get("records")
    if isinstance(inner, dict):
        bare["fields"] = {key: value for key, value in inner.items() if key in KEPT_SOURCES}
    if isinstance(records, list):
        known = [record for record in records if isinstance(record, dict)]
        bare["records"] = [{key: record[key] for key in ("entityType", "id") if key in record} for record in known]
    return bare


def bare_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """An interaction's values."""
    return {key: value for key, value in values.items() if key in KEPT_SOURCES}


def bare_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a reason without anybody's words."""
    return {key: value for key, value in params.items() if key in KEPT_PARAMS}


def bare_entries(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fields of a delivery: what became of each, and nothing that was to be or was written."""
    return [
        {key: value for key, value in entry.items() if key in KEPT_ENTRY_KEYS}
        | ({"params": bare_params(entry["params"])} if entry.get("params") else {})
        for entry in entries
    ]


def bare_targets(targets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The frozen records of an interaction without titles and the CRM's words."""
    return {entity_type: _bare_target(target) for entity_type, target in targets.items()}


def _bare_target(target: Mapping[str, Any]) -> dict[str, Any]:
    bare = {key: value for key, value in target.items() if key not in {"candidates", "steps", "params"}}
    bare["params"] = bare_params(target.get("params", {}))
    if steps := target.get("steps"):
        bare["steps"] = [
            {**step, "params": bare_params(step["params"])} if "params" in step else dict(step) for step in steps
        ]
    return bare
