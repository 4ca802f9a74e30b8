"""The audit trail: every change of a person, a command or the product itself adds one entry."""

from typing import Any

from crm_integrations.models import AuditEntry, Configuration, User

PRODUCT_NAME = "Agent Integrations"  # who acted when no person did
SUBJECT_LIMIT = 200  # characters, as AuditEntry.subject


def record_audit(
    *,
    actor: User | None,
    action: str,
    subject: object,
    configuration: Configuration | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add one entry. `action` is a key of selectors.audit.ACTION_LABELS or another app's own; never pass secrets."""
    return AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else PRODUCT_NAME,
        action=action,
        configuration=configuration,
        subject=str(subject)[:SUBJECT_LIMIT],
        details=details or {},
    )
