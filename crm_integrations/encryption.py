"""Encryption of secrets at rest: a text field that is only ever stored encrypted.

A stored value is `v1:<token>`. The first key of ENCRYPTION_KEYS encrypts, all decrypt, so keys can be rotated
(`manage.py rotate_encryption_keys`). A value that no key opens raises, and is never taken for the secret itself.
"""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

PREFIX = "v1:"


class UnreadableSecret(Exception):
    """No key of ENCRYPTION_KEYS opens the stored value."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys])


def encrypt_text(plain: str) -> str:
    """The value as it is stored."""
    return PREFIX + _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def decrypt_text(stored: str) -> str:
    """The secret behind a stored value. Raises UnreadableSecret."""
    try:
        return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("A stored secret cannot be read with the present ENCRYPTION_KEYS.") from error


def reencrypt_text(stored: str) -> str:
    """The same secret under the first key. Raises UnreadableSecret."""
    try:
        return PREFIX + _box(tuple(settings.ENCRYPTION_KEYS)).rotate(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("A stored secret cannot be read with the present ENCRYPTION_KEYS.") from error


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that the database only ever sees encrypted; blank stays blank. Not searchable."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return encrypt_text(value) if value else ""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str:
        """Decrypt on the way out."""
        return decrypt_text(value) if value else ""
