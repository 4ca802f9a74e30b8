"""Deleted configurations that can still be restored, as their page shows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404

from crm_integrations.models import AuditEntry, Configuration
from crm_integrations.models.configurations import RESTORE_DAYS
from crm_integrations.selectors.configurations import TOKEN_COLUMNS, type_label
from crm_integrations.services.restoration import restorable_since


@dataclass(frozen=True, slots=True)
class DeletedRow:
    """One line: the configuration, who deleted it (empty: not known), and until when it can be restored."""

    configuration: Configuration
    type_label: str
    deleted_by: str
    restorable_until: datetime


def restorable_configurations(*, now: datetime) -> QuerySet[Configuration]:
    """Those that were deleted lately enough, the last deleted first."""
    rows = Configuration.objects.filter(state=Configuration.State.DELETED, deleted_at__gt=restorable_since(now))
    return rows.select_related("authentication__account").defer(*TOKEN_COLUMNS).order_by("-deleted_at", "name")


def deleted_rows(*, now: datetime) -> list[DeletedRow]:
    """The page's lines, in one query."""
    deletions = AuditEntry.objects.filter(configuration=OuterRef("pk"), action="configuration_deleted")
    rows = restorable_configurations(now=now).annotate(deleted_by=Subquery(deletions.values("actor_name")[:1]))
    return [
        DeletedRow(row, type_label(row), row.deleted_by or "", row.deleted_at + timedelta(days=RESTORE_DAYS))
        for row in rows
        if row.deleted_at is not None  # a constraint says so
    ]


def configuration_even_deleted_or_404(pk: UUID) -> Configuration:
    """Any configuration of that id."""
    rows = Configuration.objects.select_related("authentication__account").defer(*TOKEN_COLUMNS)
    configuration = rows.filter(pk=pk).first()
    if configuration is None:
        raise Http404
    return configuration
