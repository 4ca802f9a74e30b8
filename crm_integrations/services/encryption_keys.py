"""Moves every stored secret under the first of ENCRYPTION_KEYS, so that the other keys can be taken away.

Works on what is stored, never on rows in memory: a secret that somebody writes meanwhile is not overwritten.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Cast

from crm_integrations.encryption import EncryptedTextField, UnreadableSecret, reencrypt_text
from crm_integrations.models import User
from crm_integrations.services.audit import record_audit

TRIES_PER_ROW = 5  # a row that others write to all the time is rare; the next run takes it


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of one column's secrets; `missed` changed under our hands each time and needs another run."""

    column: str
    rewritten: int = 0
    unreadable: int = 0
    missed: int = 0


def encrypted_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every column of the product that holds secrets."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name


def rotate_encryption_keys(*, actor: User | None, report: Callable[[Rotation], Any]) -> list[Rotation]:
    """Rewrite every secret; `report` is called after each column."""
    rotations = []
    for model, name in encrypted_columns():
        rotation = rotate_column(model=model, name=name)
        report(rotation)
        rotations.append(rotation)
    details = {rotation.column: rotation.rewritten for rotation in rotations}
    record_audit(actor=actor, action="encryption_keys_rotated", subject="ENCRYPTION_KEYS", details=details)
    return rotations


def rotate_column(*, model: type[models.Model], name: str) -> Rotation:
    """Rewrite the secrets of one column, row by row."""
    rows = model._default_manager.annotate(stored=Cast(name, models.TextField())).exclude(stored="").order_by("pk")
    counts = {"rewritten": 0, "unreadable": 0, "missed": 0}
    for pk in rows.values_list("pk", flat=True).iterator():
        counts[_rotate_row(rows.filter(pk=pk), name)] += 1
    return Rotation(f"{model._meta.label}.{name}", **counts)


def _rotate_row(row: models.QuerySet[Any], name: str) -> str:
    for _try in range(TRIES_PER_ROW):
        stored = row.values_list("stored", flat=True).first()
        if not stored:
            return "rewritten"  # emptied or deleted meanwhile: nothing is left under an old key
        try:
            renewed = models.Value(reencrypt_text(stored), output_field=models.TextField())
        except UnreadableSecret:
            return "unreadable"
        if row.filter(stored=stored).update(**{name: renewed}):
            return "rewritten"
    return "missed"
