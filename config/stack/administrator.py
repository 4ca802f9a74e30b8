"""The first administrator of an embedded product: made once, the password kept in a private file and shown at a start.

In production `manage.py createsuperuser` does this.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from config.stack.private_files import write_private

FILE_NAME = "administrator.json"
USERNAME = "admin"


@dataclass(frozen=True)
class FirstAdministrator:
    """What the file keeps; `encoded` is the hash in the database as long as the person keeps this password."""

    username: str
    password: str
    encoded: str


def read_first_administrator(var_dir: Path) -> FirstAdministrator | None:
    """Name and password to show; None once the person has chosen a password."""
    try:
        return FirstAdministrator(**json.loads((var_dir / FILE_NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def ensure_administrator(*, var_dir: Path) -> None:
    """Make the first administrator when there is none, and drop a kept password that is no longer the right one."""
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    kept = read_first_administrator(var_dir)
    if not users.filter(is_superuser=True, is_active=True).exists():
        _make_administrator(var_dir)
    elif kept and not users.filter(username=kept.username, password=kept.encoded).exists():
        (var_dir / FILE_NAME).unlink()


def _make_administrator(var_dir: Path) -> None:
    """Write the file first: an account with a password that nobody knows would lock everybody out."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password

    password = secrets.token_urlsafe(12)
    first = FirstAdministrator(username=USERNAME, password=password, encoded=make_password(password))
    write_private(var_dir / FILE_NAME, json.dumps(asdict(first)))
    get_user_model()._default_manager.update_or_create(
        username=first.username,
        defaults={"password": first.encoded, "is_superuser": True, "is_staff": True, "is_active": True},
    )
