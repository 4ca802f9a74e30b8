"""What CRM accounts say of their limits: pauses that every worker honours, and the last reports for people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from crm_integrations.models import CRMAccount
from crm_integrations.providers.base import LimitReport

PAUSE_WITHOUT_A_TIME_S = 10.0  # a limit that gives no time (the official Ruby client waits as long)
REASON_LIMIT = 200  # characters, as CRMAccount.pause_reason


def pause_account(
    *, account_id: int, retry_after_s: float | None, limit_class: str, reason: str, now: datetime
) -> datetime:
    """Let nobody write to the account for the whole time the CRM asks for; returns when it ends.

    A pause only ever moves later: of two answers the one that asks for more time wins.
    """
    wait_s = retry_after_s if retry_after_s and retry_after_s > 0 else PAUSE_WITHOUT_A_TIME_S
    until = now + timedelta(seconds=wait_s)
    words = f"{limit_class}: {reason}"[:REASON_LIMIT]
    CRMAccount.objects.filter(Q(paused_until__isnull=True) | Q(paused_until__lt=until), pk=account_id).update(
        paused_until=until, pause_reason=words
    )
    return until


def store_limits(*, account_id: int, reports: Sequence[LimitReport], now: datetime) -> None:
    """Keep what the last answers said, per limit class; classes they did not name keep what they had."""
    if not reports:
        return
    known = CRMAccount.objects.filter(pk=account_id).values_list("limits", flat=True).first()
    if known is None:
        return
    merged = {**known, **{report.limit_class: _as_json(report, now) for report in reports}}
    CRMAccount.objects.filter(pk=account_id).update(limits=merged)


def forget_past_pauses(*, now: datetime) -> int:
    """Clear the reasons of pauses that are over, so that pages do not show them; returns how many there were."""
    return CRMAccount.objects.filter(paused_until__lt=now).update(paused_until=None, pause_reason="")


def _as_json(report: LimitReport, now: datetime) -> dict[str, Any]:
    resets_at = now + timedelta(seconds=report.resets_in_s) if report.resets_in_s is not None else None
    return {
        "limit": report.limit,
        "remaining": report.remaining,
        "resets_at": resets_at.isoformat() if resets_at else None,
        "reported_at": now.isoformat(),
    }
