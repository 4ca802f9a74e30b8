"""The fields of a delivery as people read them: source value → rendered → sent → what the CRM shows, and why. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from crm_integrations.providers.base import FieldType
from memorialization.deliveries.field_sheets import Entry
from memorialization.models.deliveries import FieldResult
from memorialization.models.mappings import RowChannel
from memorialization.reasons import ReasonText, explain_reason
from memorialization.source_fields import BY_KEY

WRITTEN = frozenset({FieldResult.WRITTEN.value, FieldResult.SHORTENED.value})
LEFT_OUT = frozenset({FieldResult.LEFT_OUT.value, FieldResult.NOT_APPLIED.value, FieldResult.WITHHELD.value})
RESULT_LABELS: Mapping[str, str | Promise] = dict(FieldResult.choices)
WAITING = "waiting"
WAITING_LABEL = gettext_lazy("Not sent yet")
NEVER_SENT = "skipped"
NEVER_SENT_LABEL = gettext_lazy("Not sent")
STEPS: Mapping[str, str | Promise] = {
    "rendered": gettext_lazy("Rendered"),
    "sent": gettext_lazy("Sent"),
    "shown": gettext_lazy("Shown"),
}
COUNT_WORDS = {
    "written": ngettext_lazy("%(count)s written", "%(count)s written", "count"),
    "unchanged": ngettext_lazy("%(count)s unchanged", "%(count)s unchanged", "count"),
    "to_write": ngettext_lazy("%(count)s to write", "%(count)s to write", "count"),
    "not_sent": ngettext_lazy("%(count)s not sent", "%(count)s not sent", "count"),
    "left_out": ngettext_lazy("%(count)s left out", "%(count)s left out", "count"),
    "superseded": ngettext_lazy("%(count)s superseded", "%(count)s superseded", "count"),
    "blank": ngettext_lazy("%(count)s blank", "%(count)s blank", "count"),
}
COUNT_LOOKS = dict.fromkeys(("not_sent", "superseded", "blank"), "small-print") | {"left_out": "ledger-left-out"}
LONG_TEXT = 90  # characters; longer values are folded


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A value as text; `is_there` tells an empty value from none."""

    text: str = ""
    is_there: bool = False

    @property
    def is_long(self) -> bool:
        """Whether the page folds it."""
        return len(self.text) > LONG_TEXT

    @property
    def beginning(self) -> str:
        """What shows of a folded value."""
        return self.text[:LONG_TEXT].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class FieldStep:
    """What a value was on its way; steps that changed nothing share one: “Rendered → Sent”."""

    label: str
    value: ShownValue
    is_as_it_came: bool = False


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field: where its value came from, every shape it took on its way, and what became of it."""

    label: str
    crm_field: str
    source: str
    is_variable: bool
    value: ShownValue
    steps: list[FieldStep]
    result: str
    result_label: str
    reason: ReasonText
    mapping: str

    @property
    def is_blank(self) -> bool:
        """Whether there was nothing to write, as in many a row; the page says why once."""
        return self.result == FieldResult.BLANK


@dataclass(frozen=True, slots=True)
class FieldCount:
    """How many fields of a delivery came out one way, in words; `look`: a class of the style sheets."""

    words: str
    look: str = ""


def field_lines(fields: Sequence[Entry], *, is_finished: bool) -> list[FieldLine]:
    """The table of a delivery, in the order of the mapping's rows."""
    return [_field_line(entry, is_finished) for entry in fields]


def field_counts(fields: Iterable[Entry], *, is_unfinished: bool) -> list[FieldCount]:
    """The figures of the list; blank fields are counted when there is nothing else to say."""
    results = [entry.get("result") for entry in fields if entry.get("result") or "rendered" in entry]
    written = sum(result in WRITTEN for result in results)
    waiting = sum(not result for result in results)
    counts = {
        "written": written,
        "unchanged": results.count(FieldResult.UNCHANGED),
        "to_write": waiting if is_unfinished else 0,
        "not_sent": 0 if is_unfinished else waiting,
        "left_out": sum(result in LEFT_OUT for result in results),
        "superseded": results.count(FieldResult.SUPERSEDED),
        "blank": 0 if written or waiting else results.count(FieldResult.BLANK),
    }
    return [
        FieldCount(COUNT_WORDS[name] % {"count": count}, COUNT_LOOKS.get(name, ""))
        for name, count in counts.items()
        if count
    ]


def mapping_names(fields: Iterable[Entry]) -> list[str]:
    """The mappings and versions that a delivery was planned with."""
    return list(dict.fromkeys(_mapping_name(entry) for entry in fields if entry.get("mapping")))


def value_text(value: Any) -> str:
    """A source or CRM value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value_text(part) for part in value)
    return str(value)


def source_label(entry: Mapping[str, Any]) -> str:
    """The CXone data, or the script variable by its name."""
    source = str(entry.get("source", ""))
    if entry.get("channel") != RowChannel.SCRIPT_VARIABLE and source in BY_KEY:
        return str(BY_KEY[source].label)
    return source


def _field_line(entry: Entry, is_finished: bool) -> FieldLine:
    result = entry.get("result") or (NEVER_SENT if is_finished else WAITING)
    return FieldLine(
        label=_(entry["label"]) if entry.get("label") else entry["crm_field"],
        crm_field=entry["crm_field"],
        source=source_label(entry),
        is_variable=entry.get("channel") == RowChannel.SCRIPT_VARIABLE,
        value=_shown(entry, "value"),
        steps=_steps(entry),
        result=result,
        result_label=_result_label(entry, is_finished),
        reason=_reason(entry),
        mapping=_mapping_name(entry),
    )


def _shown(entry: Entry, name: str) -> ShownValue:
    if name not in entry or entry[name] is None:
        return ShownValue()
    return ShownValue(value_text(entry[name]), is_there=True)


def _steps(entry: Entry) -> list[FieldStep]:
    """Rendered → sent → shown; what nothing happened to is left out."""
    origin = _shown(entry, "value")
    steps: list[tuple[list[str], ShownValue]] = []
    for name, label in STEPS.items():
        value = _shown(entry, name)
        if not value.is_there and not _is_shown_empty(entry, name):
            continue
        if steps and steps[-1][1] == value:
            steps[-1][0].append(str(label))
        else:
            steps.append(([str(label)], value))
    return [FieldStep(" → ".join(labels), value, value == origin) for labels, value in steps]


def _is_shown_empty(entry: Entry, name: str) -> bool:
    """Whether the CRM was asked and shows nothing; a note is no property of the record, so it shows none."""
    return name == "shown" and name in entry and "sent" in entry and entry.get("type") != FieldType.COMMENT


def _result_label(entry: Entry, is_finished: bool) -> str:
    if entry.get("result"):
        return str(RESULT_LABELS.get(entry["result"], entry["result"]))
    return str(NEVER_SENT_LABEL if is_finished else WAITING_LABEL)


def _reason(entry: Entry) -> ReasonText:
    return explain_reason(entry["reason"], entry.get("params")) if entry.get("reason") else ReasonText("")


def _mapping_name(entry: Entry) -> str:
    return _("%(mapping)s v%(version)s") % {"mapping": entry.get("mapping"), "version": entry.get("version")}
