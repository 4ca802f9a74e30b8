"""A row of the mapping editor as its template needs it: controls, small print, fit, notes, errors."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.account_fields import AccountFields, find_definition, has_changed_type
from crm_integrations.mapping_pages.field_choices import Option, OptionGroup
from crm_integrations.mapping_pages.row_views import FieldRowView
from crm_integrations.providers.base import CRMField
from memorialization.forms.editor_state import RowState
from memorialization.mappings.row_fit import FIT_WORDS, Fit, FitWords, is_transcript, judge_row, source_kind
from memorialization.mappings.row_words import describe_field, describe_source, warn_of_transcript
from memorialization.models.mappings import RowChannel
from memorialization.source_fields import BOTH, BY_KEY, ONLY_DIGITAL, ONLY_VOICE, SOURCE_FIELDS, SourceField

PARTS = {"crmField": "field", "channel": "channel", "source": "source"}
"""The keys of problems' paths and the controls they stand for."""


@dataclass
class RowView(FieldRowView[RowState]):
    """What `_row.html` draws."""

    source_print: str = ""
    fit: Fit | None = None
    fit_sentence: str = ""
    transcript_note: str = ""

    @property
    def is_variable(self) -> bool:
        """Whether the row reads a script variable."""
        return self.state.channel == RowChannel.SCRIPT_VARIABLE

    @property
    def fit_words(self) -> FitWords | None:
        """The badge."""
        return FIT_WORDS[self.fit] if self.fit else None


def build_row(
    state: RowState,
    *,
    entity_type: str,
    numbers: tuple[int, int],
    fields: AccountFields,
    groups: Sequence[OptionGroup],
    errors: dict[str, list[str]],
) -> RowView:
    """One row; `groups` are every field of the entity type."""
    row = state.as_draft()
    known = fields.find(entity_type, row.crm_field)
    definition = find_definition(entity_type, row.crm_field, fields)
    view = RowView.place(state, *numbers)
    view.offer(definition, groups)
    view.errors = errors
    view.field_print = describe_field(definition) if definition else ""
    view.source_print = _print_source(row.channel, row.source)
    view.fit = _judge(entity_type, row.crm_field, known, fields, row.channel, row.source)
    view.fit_sentence = _say_fit(view.fit, definition)
    view.transcript_note = warn_of_transcript(definition) if is_transcript(row.channel, row.source) else ""
    return view


def source_groups() -> list[OptionGroup]:
    """Every source field under the channels that have it."""
    return [
        OptionGroup(
            label, [Option(source.key, source.label) for source in SOURCE_FIELDS if source.channels == channels]
        )
        for channels, label in (
            (BOTH, _("Digital Contact and Voice Call Contact")),
            (ONLY_DIGITAL, _("Digital Contact only")),
            (ONLY_VOICE, _("Voice Call Contact only")),
        )
    ]


def _print_source(channel: str, source: str) -> str:
    known: SourceField | None = None if channel == RowChannel.SCRIPT_VARIABLE else BY_KEY.get(source)
    return describe_source(known) if known else ""


def _judge(
    entity_type: str, key: str, known: CRMField | None, fields: AccountFields, channel: str, source: str
) -> Fit | None:
    if not key:
        return None
    if known is None:
        return Fit.UNKNOWN if entity_type in fields.unreadable else Fit.GONE
    if not known.is_writable:
        return Fit.READ_ONLY
    if has_changed_type(entity_type, key, fields):
        return Fit.CHANGED
    return judge_row(known, source_kind(channel, source)) if channel and source else None


def _say_fit(fit: Fit | None, definition: CRMField | None) -> str:
    if fit is None:
        return ""
    limit = definition.max_length if definition else None
    return str(FIT_WORDS[fit].sentence) % {"limit": "" if limit is None else number_format(limit, force_grouping=True)}
