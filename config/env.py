"""Typed readers of the environment; every secret may also come from a file named by `NAME_FILE`.

A `.env` beside manage.py is read when it is there; the real environment wins over it.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}
SQLITE_TIMEOUT_S = 20  # how long a writer waits for its turn, and for others then


def load_dotenv(path: Path) -> None:
    """Read `NAME=value` lines of `path` into the environment without overriding what is set."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.lstrip().startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("'\""))


def text(name: str, default: str = "") -> str:
    """The variable, or the contents of the file that `NAME_FILE` names, or `default`."""
    value = os.environ.get(name)
    if value is not None:
        return value
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return default


def integer(name: str, default: int) -> int:
    """The variable as a whole number; anything else stops the start with a sentence."""
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error


def boolean(name: str, *, default: bool) -> bool:
    """The variable as yes or no; an unknown word stops the start instead of being guessed."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, on, 0, false, no, off; not {value!r}.")


def words(name: str, default: str = "") -> list[str]:
    """The variable as a list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def origin(url: str) -> str:
    """Scheme, host and port of an address, as a Content-Security-Policy names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def database(url: str, *, folder: Path) -> dict[str, Any]:
    """Django's settings for a database address; without one, SQLite under `folder`."""
    if not url or url.startswith("sqlite:"):
        path = Path(unquote(urlsplit(url).path)) if url else folder / "agent_integrations.sqlite3"
        return sqlite_settings(path)
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must start with postgres:// or sqlite:///.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite_settings(path: Path) -> dict[str, Any]:
    """SQLite as a durable store for several writing processes.

    WAL + IMMEDIATE is the only mode free of "database is locked"; FULL keeps an acknowledged event through a power cut.
    The log is moved into the database by the sweeps (`housekeeping.move_log`), and by whoever commits only once it has
    8,000 pages (32 MB).
    """
    return {
        "ENGINE": "config.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "timeout": SQLITE_TIMEOUT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; "
            "PRAGMA wal_autocheckpoint=8000;",
        },
        "TEST": {"NAME": str(path.with_name("test_agent_integrations.sqlite3"))},
    }


def fernet_keys(text_of_keys: str) -> list[str]:
    """The keys of a comma list, the first encrypting; one that is no Fernet key stops the start with a sentence."""
    keys = [key.strip() for key in text_of_keys.split(",") if key.strip()]
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"Key {number} of ENCRYPTION_KEYS is no Fernet key: 32 bytes in URL-safe base64 are needed, as made by "
                "cryptography's Fernet.generate_key()."
            ) from error
    return keys


def generated_secret(name: str, *, folder: Path, is_embedded: bool, fernet: bool = False) -> str:
    """The secret from the environment; on the embedded profile one is made once and kept in `folder`.

    Raises ImproperlyConfigured in production, where a secret that appears by itself would differ between machines.
    """
    value = text(name)
    if value:
        return value
    if not is_embedded:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE): it is required when DATABASE_URL is set.")
    path = folder / f"{name.lower()}.txt"
    if not path.exists():
        _write_once(path, Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()


def _write_once(path: Path, value: str) -> None:
    """Write a private file whole or not at all; the first of several starting processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
