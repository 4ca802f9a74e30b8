"""Restoring a deleted configuration: it comes back at rest, with all that hung on it.

Its deliveries, events and keys were never touched: while it was deleted nobody claimed, folded or accepted anything for
it. So nothing has to be made good here; what waited goes on in its order once a person activates it again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.models.configurations import RESTORE_DAYS
from crm_integrations.numbered_names import number_name
from crm_integrations.services.audit import record_audit
from crm_integrations.services.configurations import NameTaken, StateChanged

State = Configuration.State
NAME_LIMIT = 100  # characters, as Configuration.name
NUMBERS_TRIED = 99


def restore_configuration(*, configuration: Configuration, actor: User | None, now: datetime) -> None:
    """Bring it back: a draft as a draft, any other deactivated; under another name when its own was taken meanwhile.

    Without an authentication it becomes a draft too, since only a draft can be given one. Raises StateChanged (restored
    already, deleted too long ago, or its authentication is being removed) and NameTaken (every number is).
    """
    with transaction.atomic():
        has_account = _lock_authentication(configuration)
        is_draft = configuration.state_before_deletion == State.DRAFT or not has_account
        columns = {
            "state": State.DRAFT if is_draft else State.INACTIVE,
            "deleted_at": None,
            "state_before_deletion": "",
        }
        former = configuration.name
        for name in _free_names(former):
            if _bring_back(configuration, {**columns, "name": name}, now):
                details = {} if name == former else {"changed": {"name": [former, name]}}
                record_audit(
                    actor=actor,
                    action="configuration_restored",
                    subject=name,
                    configuration=configuration,
                    details=details,
                )
                return
    raise NameTaken(Configuration.objects.exclude(state=State.DELETED).filter(name__iexact=former).first())


def restorable_since(now: datetime) -> datetime:
    """What was deleted at this time or before can no longer be restored."""
    return now - timedelta(days=RESTORE_DAYS)


def _lock_authentication(configuration: Configuration) -> bool:
    """Keep its authentication from being removed until this is decided; whether it has one."""
    if configuration.authentication_id is None:
        return False
    locked = Authentication.objects.select_for_update().filter(pk=configuration.authentication_id).values_list("pk")
    return locked.first() is not None


def _free_names(name: str) -> Iterator[str]:
    """The name, then numbered ones; those that are seen to be taken are left out."""
    taken = Configuration.objects.exclude(state=State.DELETED)
    for number in range(1, NUMBERS_TRIED + 1):
        candidate = number_name(name, number, limit=NAME_LIMIT)
        if not taken.filter(name__iexact=candidate).exists():
            yield candidate


def _bring_back(configuration: Configuration, columns: dict[str, Any], now: datetime) -> bool:
    """Whether it is back; False when somebody took the name just now. Raises StateChanged."""
    same_account = Q(authentication=configuration.authentication_id)  # None is compared as such
    restorable = Q(state=State.DELETED, deleted_at__gt=restorable_since(now))
    deleted = Configuration.objects.filter(restorable, same_account, pk=configuration.pk)
    try:
        with transaction.atomic():
            if not deleted.update(updated_at=timezone.now(), **columns):
                raise StateChanged
    except IntegrityError:
        return False
    for name, value in columns.items():
        setattr(configuration, name, value)
    return True
