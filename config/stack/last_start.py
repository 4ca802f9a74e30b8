"""What the last start on a folder decided, in a private file there that `manage.py` reads.

It also says where the CRM accounts of the folder's data live. A start that would look for them somewhere else is
refused: data made with the demo Zendesk would reach real accounts of other people, and real tokens the demo.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from config.stack.private_files import write_private
from config.stack.profile import GENERATED_SECRETS

FILE_NAME = "run.env"
ACCOUNTS = "ZENDESK_BASE_URL"
REAL_ACCOUNTS = "https://{subdomain}.zendesk.com"
DEMO_ACCOUNTS = "http://127.0.0.1:"  # whatever its port
KEPT = (
    *("DATABASE_URL", "REDIS_URL", "SITE_URL", ACCOUNTS, *GENERATED_SECRETS),
    *("ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET"),
)


class OtherAccounts(Exception):
    """The folder's data belong to accounts somewhere else; the text says how to start."""


def remember_start(var_dir: Path, environment: Mapping[str, str]) -> None:
    """Keep what this start decided. Raises OtherAccounts."""
    before, now = _last_accounts(var_dir), environment.get(ACCOUNTS, REAL_ACCOUNTS)
    if before is not None and _kind(before) != _kind(now):
        own = "DEMO=0 VAR_DIR=var/alone" if _kind(before) == DEMO_ACCOUNTS else "VAR_DIR=var/demo-data"
        raise OtherAccounts(
            f"The data of {var_dir} were made with the accounts at {before}; this start would look for them at {now}. "
            f"Start it as before, or give this start a folder of its own, for example: make run {own}"
        )
    kept = {ACCOUNTS: now} | {name: environment[name] for name in KEPT if name in environment}
    write_private(var_dir / FILE_NAME, "".join(f"{name}={shlex.quote(value)}\n" for name, value in kept.items()))


def _last_accounts(var_dir: Path) -> str | None:
    try:
        lines = (var_dir / FILE_NAME).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return next((line.partition("=")[2].strip("'") for line in lines if line.startswith(f"{ACCOUNTS}=")), None)


def _kind(accounts: str) -> str:
    return DEMO_ACCOUNTS if accounts.startswith(DEMO_ACCOUNTS) else accounts
