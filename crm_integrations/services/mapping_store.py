"""Mappings of any kind saved, switched, copied and deleted: checked against the account, then one transaction.

The configuration's row is locked while names and rows of other mappings are compared, so two people who save at the
same time cannot both take a row. Every save that changes something counts the version up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.account_fields import AccountFields, Kept
from crm_integrations.mapping_pages.contents import Contents
from crm_integrations.mapping_pages.kinds import MappingKind
from crm_integrations.models import Configuration, DataMapping, User
from crm_integrations.problems import Problem
from crm_integrations.services.account_fields import read_account_catalogue
from crm_integrations.services.audit import record_audit
from crm_integrations.services.mapping_saving import (
    MappingChanged,
    MappingGone,
    MappingRefused,
    find_free_name,
    lock_configuration,
)

M = TypeVar("M", bound=DataMapping)
K = TypeVar("K", bound=Contents[Any])
D = TypeVar("D", bound=Contents[Any])


@dataclass(frozen=True, slots=True)
class Stored(Generic[K]):
    """What a mapping says now, and who saved it so when."""

    contents: K
    changed_by: User | None
    changed_at: datetime


@dataclass(frozen=True)
class MappingStore(Generic[M, K, D]):
    """One kind of mappings: M is its model, K what is stored, D what is to be checked.

    `check_draft`: the contents to store, or all that is wrong. `find_taken`: what other active mappings say already.
    `store_head`: the mapping's columns, and the version where kept. `store_rows`: the rows in place of those it had.
    `describe_rows`: the rows in short for the audit trail, enough to write them again.
    """

    kind: MappingKind
    model: type[M]
    audit_prefix: str  # of the actions "…_created" and so on
    check_draft: Callable[[D, AccountFields], tuple[K | None, list[Problem]]]
    find_taken: Callable[[Configuration, K, QuerySet[M]], list[Problem]]
    read: Callable[[M], Stored[K]]
    read_definitions: Callable[[M], Kept]
    store_head: Callable[[M, K, User | None], None]
    store_rows: Callable[[M, K], None]
    describe_rows: Callable[[K], list[dict[str, object]]]

    def create(self, *, configuration: Configuration, draft: D, actor: User | None) -> M:
        """Save a new mapping as version 1. Raises MappingRefused, MappingGone."""
        contents = self._check(configuration, draft, kept={})
        with transaction.atomic():
            lock_configuration(configuration)
            return self.store_new(configuration=configuration, contents=contents, actor=actor)

    def store_new(self, *, configuration: Configuration, contents: K, actor: User | None) -> M:
        """Write checked contents as a new mapping, inside the caller's transaction. Raises MappingRefused."""
        self._refuse_conflicts(configuration, contents, self._all_of(configuration))
        mapping = self.model(configuration=configuration, version=0)
        self._store_next(mapping, contents, actor)
        self.store_rows(mapping, contents)
        self._audit(mapping, "created", actor)
        return mapping

    def update(self, *, mapping: M, draft: D, base_version: int, actor: User | None) -> M:
        """Save changes made on top of `base_version`. Raises MappingRefused, MappingChanged, MappingGone.

        A draft that says what the mapping says already changes nothing, so a save sent twice is harmless.
        """
        contents = self._check(mapping.configuration, draft, kept=self.read_definitions(mapping))
        with transaction.atomic():
            mapping, stored = self._lock(mapping)
            if stored.contents == contents:
                return mapping
            if mapping.version != base_version:
                raise MappingChanged(
                    version=mapping.version, changed_by=stored.changed_by, changed_at=stored.changed_at
                )
            self._refuse_conflicts(mapping.configuration, contents, self._others_than(mapping))
            self._store_next(mapping, contents, actor)
            self.store_rows(mapping, contents)
            before = {} if self.kind.has_versions else {"before": self.describe_rows(stored.contents)}
            self._audit(mapping, "changed", actor, before)
        return mapping

    def set_active(self, *, mapping: M, is_active: bool, actor: User | None) -> bool:
        """Switch a mapping on or off; whether that changed anything. Raises MappingRefused, MappingGone."""
        with transaction.atomic():
            mapping, stored = self._lock(mapping)
            if mapping.is_active == is_active:
                return False
            contents = replace(stored.contents, is_active=is_active)
            self._refuse_conflicts(mapping.configuration, contents, self._others_than(mapping))
            self._store_next(mapping, contents, actor)
            self._audit(mapping, "activated" if is_active else "deactivated", actor)
        return True

    def delete(self, *, mapping: M, actor: User | None) -> None:
        """Delete a mapping with its versions; the audit trail keeps what it said last. Raises MappingGone when its
        configuration was deleted; a mapping that is gone already is as wanted.
        """
        with transaction.atomic():
            lock_configuration(mapping.configuration)
            present = self._all_of(mapping.configuration).filter(pk=mapping.pk).first()
            if present is None:
                return
            self._audit(present, "deleted", actor, {"contents": self.describe_rows(self.read(present).contents)})
            present.delete()

    def duplicate(self, *, mapping: M, actor: User | None) -> M:
        """An inactive copy under a free name: two active ones would be in each other's way. Raises MappingGone."""
        with transaction.atomic():
            mapping, stored = self._lock(mapping)
            names = self._all_of(mapping.configuration).values_list("name", flat=True)
            contents = replace(stored.contents, name=find_free_name(mapping.name, names), is_active=False)
            return self.store_new(configuration=mapping.configuration, contents=contents, actor=actor)

    def _check(self, configuration: Configuration, draft: D, *, kept: Kept) -> K:
        """Everything that can be checked before the transaction: the CRM may have to be asked."""
        catalogue = read_account_catalogue(authentication=configuration.authentication, entity_types=draft.entity_types)
        contents, problems = self.check_draft(draft, catalogue.as_fields(kept))
        if contents is None:
            raise MappingRefused(problems)
        return contents

    def _all_of(self, configuration: Configuration) -> QuerySet[M]:
        return self.model._default_manager.filter(configuration=configuration).select_related("configuration")

    def _others_than(self, mapping: M) -> QuerySet[M]:
        return self._all_of(mapping.configuration).exclude(pk=mapping.pk)

    def _lock(self, mapping: M) -> tuple[M, Stored[K]]:
        lock_configuration(mapping.configuration)
        present = self._all_of(mapping.configuration).filter(pk=mapping.pk).first()
        if present is None:
            raise MappingGone
        return present, self.read(present)

    def _refuse_conflicts(self, configuration: Configuration, contents: K, others: QuerySet[M]) -> None:
        problems = []
        if others.filter(name__iexact=contents.name).exists():
            problems.append(Problem(("name",), _("Another mapping has this name already.")))
        if contents.is_active:
            problems += self.find_taken(configuration, contents, others.filter(is_active=True))
        if problems:
            raise MappingRefused(problems)

    def _store_next(self, mapping: M, contents: K, actor: User | None) -> None:
        mapping.name, mapping.description, mapping.is_active = contents.name, contents.description, contents.is_active
        mapping.version += 1
        self.store_head(mapping, contents, actor)

    def _audit(self, mapping: M, act: str, actor: User | None, details: Mapping[str, object] | None = None) -> None:
        record_audit(
            actor=actor,
            action=f"{self.audit_prefix}_{act}",
            subject=mapping.name,
            configuration=mapping.configuration,
            details={"version": mapping.version, **(details or {})},
        )
