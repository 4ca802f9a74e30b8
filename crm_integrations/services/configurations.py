"""Configurations: their life from draft to deletion, each step conditional on the state it starts from.

A step that finds another state (a second tab, a double click, a colleague) changes nothing and raises StateChanged.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.audit import record_audit

State = Configuration.State
UNQUOTED_COLUMNS = frozenset({"description"})  # long text: the audit says that it changed, not to what


class NameTaken(Exception):
    """Another configuration has the name; `existing` is it, or None when it went away meanwhile."""

    def __init__(self, existing: Configuration | None) -> None:
        super().__init__("Another configuration has this name.")
        self.existing = existing


class StateChanged(Exception):
    """The configuration is no longer in a state that the step starts from."""


def create_draft(*, integration_type: str, name: str, description: str, actor: User | None) -> Configuration:
    """A draft with the provider's usual script variables. Raises NameTaken."""
    columns = {"integration_type": integration_type, "name": name, "description": description}
    variables = dict(get_provider(integration_type).default_record_variables)
    try:
        with transaction.atomic():
            draft = Configuration.objects.create(**columns, record_variables=variables, created_by=actor)
            record_audit(actor=actor, action="configuration_created", subject=name, configuration=draft)
    except IntegrityError as error:
        raise NameTaken(_named(name)) from error
    return draft


def change_configuration(*, configuration: Configuration, changes: Mapping[str, Any], actor: User | None) -> list[str]:
    """Write the columns that differ and answer their names. Raises NameTaken, StateChanged (deleted meanwhile)."""
    names = [name for name, value in changes.items() if getattr(configuration, name) != value]
    if not names:
        return []
    details = {name: _difference(configuration, name, changes[name]) for name in names}
    try:
        with transaction.atomic():
            columns = {name: changes[name] for name in names}
            _update(configuration, tuple(set(State) - {State.DELETED}), columns)
            _record(configuration, "configuration_changed", actor, {"changed": details})
    except IntegrityError as error:
        raise NameTaken(_named(changes.get("name", ""))) from error
    return names


def change_draft_type(*, configuration: Configuration, integration_type: str, actor: User | None) -> None:
    """Make a draft one of another CRM, as long as it has no authentication. Raises StateChanged."""
    if configuration.integration_type == integration_type:
        return
    columns = {
        "integration_type": integration_type,
        "record_variables": dict(get_provider(integration_type).default_record_variables),
    }
    with transaction.atomic():
        _update(configuration, (State.DRAFT,), columns, authentication=None)
        _record(configuration, "configuration_changed", actor, {"changed": {"integration_type": integration_type}})


def select_authentication(*, configuration: Configuration, authentication: Authentication, actor: User | None) -> None:
    """Give a draft its account. Raises StateChanged: no draft, or an account of another CRM, held or gone."""
    if authentication.is_held or authentication.account.provider != configuration.integration_type:
        raise StateChanged
    with transaction.atomic():
        present = Authentication.objects.select_for_update().filter(pk=authentication.pk).values_list("pk")
        if present.first() is None:
            raise StateChanged
        _update(configuration, (State.DRAFT,), {"authentication": authentication})
        _record(configuration, "authentication_selected", actor, {"authentication": authentication.name})


def finish_authentication(*, configuration: Configuration, external_domain: str, actor: User | None) -> None:
    """Keep the domain with which record links are built. Raises StateChanged."""
    change_configuration(configuration=configuration, changes={"external_domain": external_domain}, actor=actor)


def activate_configuration(*, configuration: Configuration, actor: User | None) -> None:
    """A draft with an account starts to work. Raises StateChanged."""
    _move(configuration, (State.DRAFT,), State.ACTIVE, "configuration_activated", actor, authentication__isnull=False)


def deactivate_configuration(*, configuration: Configuration, actor: User | None) -> None:
    """Stop by an administrator's will: events are refused, what waits is held. Raises StateChanged."""
    origins = (State.ACTIVE, State.SYSTEM_USER_REMOVED)
    _move(configuration, origins, State.INACTIVE, "configuration_deactivated", actor)


def reactivate_configuration(*, configuration: Configuration, actor: User | None) -> None:
    """Work again; what an authentication holds stays held. Raises StateChanged."""
    origins = (State.INACTIVE,)
    _move(configuration, origins, State.ACTIVE, "configuration_reactivated", actor, authentication__isnull=False)


def delete_configuration(*, configuration: Configuration, actor: User | None, now: datetime) -> None:
    """Take it out of sight and release its name; rows stay for RESTORE_DAYS. Raises StateChanged."""
    origins = tuple(set(State) - {State.DELETED})
    columns = {"state": State.DELETED, "deleted_at": now, "state_before_deletion": F("state")}
    with transaction.atomic():
        _update(configuration, origins, columns)
        configuration.refresh_from_db(fields=["state_before_deletion"])
        _record(configuration, "configuration_deleted", actor)


def _move(
    configuration: Configuration, origins: tuple[str, ...], target: str, action: str, actor: User | None, **needs: Any
) -> None:
    with transaction.atomic():
        _update(configuration, origins, {"state": target}, **needs)
        _record(configuration, action, actor)


def _update(configuration: Configuration, origins: tuple[str, ...], columns: Mapping[str, Any], **needs: Any) -> None:
    rows = Configuration.objects.filter(pk=configuration.pk, state__in=origins, **needs)
    if not rows.update(updated_at=timezone.now(), **columns):
        raise StateChanged
    for name, value in columns.items():
        setattr(configuration, name, value)


def _named(name: str) -> Configuration | None:
    return Configuration.objects.exclude(state=State.DELETED).filter(name__iexact=name).first()


def _difference(configuration: Configuration, name: str, value: Any) -> Any:
    return "…" if name in UNQUOTED_COLUMNS else [getattr(configuration, name), value]


def _record(
    configuration: Configuration, action: str, actor: User | None, details: dict[str, Any] | None = None
) -> None:
    record_audit(actor=actor, action=action, subject=configuration.name, configuration=configuration, details=details)
