"""The share of an account's limits that deliveries leave to others."""

from django.db import transaction

from crm_integrations.models import CRMAccount, User
from crm_integrations.services.audit import record_audit

MOST_PERCENT = 90  # as the constraint of CRMAccount


def change_head_room(*, account_id: int, percent: int, actor: User | None) -> bool:
    """Store the share, which counts from the next call on; whether it was another one before."""
    with transaction.atomic():
        account = CRMAccount.objects.select_for_update(no_key=True).get(pk=account_id)
        before = account.head_room_percent
        if before == percent:
            return False
        account.head_room_percent = percent
        account.save(update_fields=["head_room_percent"])
        details = {"percent": [before, percent]}
        record_audit(actor=actor, action="head_room_changed", subject=account, details=details)
    return True
