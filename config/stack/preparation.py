"""The two steps before a start: the database with its first administrator, and the collected static files."""

import hashlib
import sys
from io import StringIO
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection

from config.stack.administrator import ensure_administrator
from config.stack.processes import BASE_DIR
from config.stack.translations import compile_catalogues

FINGERPRINT_NAME = "static.sha256"
STATIC_SOURCES = ("static", "crm_integrations/static", "memorialization/static", "dynamic_data/static")


def prepare_database() -> None:
    """Compile the languages, migrate, make roles and the first administrator; each step can run again."""
    compile_catalogues()
    django.setup()
    _keep_from_others()
    call_command("migrate", interactive=False, verbosity=0)
    if "create_roles" in get_commands():
        call_command("create_roles", stdout=StringIO())
    ensure_administrator(var_dir=settings.VAR_DIR)


def _keep_from_others() -> None:
    """Nobody else on the machine reads an SQLite file: it holds customers' values. Its WAL takes over the mode."""
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        path.touch(mode=0o600)
        path.chmod(0o600)


def prepare_static_files() -> None:
    """Collect and compress the static files, when anything they come from changed since the last time."""
    mark = Path(settings.VAR_DIR) / FINGERPRINT_NAME
    fingerprint = static_fingerprint()
    is_collected = (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file()
    if is_collected and mark.is_file() and mark.read_text(encoding="utf-8") == fingerprint:
        return
    django.setup()
    mark.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(fingerprint, encoding="utf-8")


def static_fingerprint() -> str:
    """Changes when a static file, the settings or an installed package does."""
    files = [path for folder in STATIC_SOURCES for path in (BASE_DIR / folder).rglob("*") if path.is_file()]
    files.append(BASE_DIR / "config" / "settings.py")
    facts = [f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files]
    packages = [path.name for entry in sys.path for path in Path(entry).glob("*.dist-info")]
    return hashlib.sha256("\n".join([*sorted(facts), *sorted(packages)]).encode()).hexdigest()
