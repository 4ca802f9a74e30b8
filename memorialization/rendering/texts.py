"""Values for text fields, notes, tags, patterns and record ids (semantics §7). Pure."""

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.events.schema import SourceValue
from memorialization.events.values import ValueRefused, read_record_id
from memorialization.rendering.patterns import matches_pattern
from memorialization.rendering.rendered import (
    RenderContext,
    Rendered,
    as_text,
    leave_out,
    limit_of,
    single_text,
    time_behind,
)

CUT_MARK = "…"  # shows that there was more


def render_text(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """Text, shortened with a visible mark to what the field takes; one line for a field of one line."""
    text = _text_in_zone(value, context)
    if field.type is FieldType.TEXT:
        text = " ".join(text.splitlines())
    return shorten_text(text, limit_of(field))


def shorten_text(text: str, limit: int | None) -> Rendered:
    """The text within `limit` characters."""
    if limit is None or len(text) <= limit:
        return Rendered(text)
    kept = text[: limit - len(CUT_MARK)].rstrip() + CUT_MARK
    return Rendered(kept, reason="shortened_to_limit", params={"length": len(text), "limit": limit})


def render_pattern(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """Text that matches the field's pattern; it is never shortened, as that would change what it names."""
    text = _text_in_zone(value, context).strip()
    limit = limit_of(field)
    if limit is not None and len(text) > limit:
        return leave_out("too_long", length=len(text), limit=limit)
    if matches_pattern(field.pattern, text) is False:
        return leave_out("pattern_mismatch")
    return Rendered(text)


def render_record_id(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """The id of a record."""
    try:
        return Rendered(read_record_id(single_text(value) or ""))
    except ValueRefused:
        return leave_out("not_a_record_id")


def render_tags(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """Tags in lower case, white space as underscores, each once, in their order."""
    parts = value if isinstance(value, list) else as_text(value).split(",")
    tags = list(dict.fromkeys(tag for part in parts if (tag := "_".join(part.lower().split()))))
    return Rendered(tags) if tags else Rendered(None, "blank", "blank")


def _text_in_zone(value: SourceValue, context: RenderContext) -> str:
    """A time becomes ISO 8601 with the zone's offset; one that cannot be read stays as it came."""
    found = time_behind(value) if context.is_time else None
    if found is None:
        return as_text(value)
    return found.moment.astimezone(context.time_zone).isoformat(timespec="seconds")
