"""The audit trail as pages show it."""

from dataclasses import dataclass
from datetime import datetime

from crm_integrations.audit_actions import action_label
from crm_integrations.models import AuditEntry, Configuration

RECENT_ENTRIES = 8


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry in words."""

    at: datetime
    who: str
    what: str
    subject: str


def recent_audit(configuration: Configuration) -> list[AuditLine]:
    """The newest entries of a configuration, newest first."""
    entries = AuditEntry.objects.filter(configuration=configuration)[:RECENT_ENTRIES]
    return [AuditLine(entry.at, entry.actor_name, action_label(entry.action), entry.subject) for entry in entries]
