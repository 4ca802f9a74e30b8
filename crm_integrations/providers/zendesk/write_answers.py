"""What the ledger keeps of a write: kinds and sizes, never tokens and never what customers wrote."""

from collections.abc import Mapping
from typing import Any

from crm_integrations.providers.base import CRMValue, WriteAnswer
from crm_integrations.providers.zendesk.fields import build_record
from zendesk_client import WriteResult


def build_answer(written: WriteResult, record_name: str, values: Mapping[str, CRMValue], *, status: int) -> WriteAnswer:
    """The port's answer to a write of `values`."""
    return WriteAnswer(
        record=build_record(written.record),
        status=status,
        request={"record": record_name, "fields": {key: describe_value(value) for key, value in values.items()}},
        answer=_describe_answer(written),
        is_comment_posted=has_comment(written.audit or {}),
    )


def describe_value(value: CRMValue) -> str:
    """A value for the ledger's request: its kind and size, never what it says."""
    if isinstance(value, str):
        return f"text, {len(value)} characters"
    return f"list of {len(value)}" if isinstance(value, list) else type(value).__name__


def has_comment(audit: Mapping[str, Any]) -> bool | None:
    """Whether a write's audit has a comment: Zendesk drops one of which it leaves no text, with 200. None: not told."""
    events = audit.get("events")
    if not isinstance(events, list):
        return None
    return any(isinstance(event, dict) and event.get("type") == "Comment" for event in events)


def _describe_answer(written: WriteResult) -> dict[str, Any]:
    audit = written.audit or {}
    return {"id": written.record.id, "updated_at": written.record.updated_at, "audit": str(audit.get("id") or "")}
