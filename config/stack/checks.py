"""`make check`: every check runs, and those that failed are named at the end."""

import subprocess
import sys
import time

from config.stack.processes import BASE_DIR

PYTHON = sys.executable
TYPED = ("config", "crm_integrations", "memorialization", "dynamic_data", "zendesk_client", "demo", "manage.py")
CHECKS: dict[str, tuple[str, ...]] = {
    "format": ("-m", "ruff", "format", "--check", "."),
    "lint": ("-m", "ruff", "check", "."),
    "types": ("-m", "mypy", *TYPED),
    "templates": ("-m", "djlint", "--lint", "--quiet", "templates"),
    "demo templates": ("-m", "djlint", "--lint", "--quiet", "--profile", "jinja", "demo"),
    "django": ("manage.py", "check"),
    "migrations": ("manage.py", "makemigrations", "--check", "--dry-run"),
    "translations": ("-m", "config.stack", "check-messages"),
    "architecture": ("-m", "pytest", "-q", "tests/test_architecture.py"),
}


def run_checks() -> int:
    """Run them all; 1 when any failed."""
    failed = []
    for name, arguments in CHECKS.items():
        sys.stdout.write(f"=== {name}\n")
        sys.stdout.flush()
        started = time.monotonic()
        code = subprocess.run([PYTHON, *arguments], cwd=BASE_DIR, check=False).returncode
        sys.stdout.write(f"    {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s\n")
        failed += [name] if code else []
    sys.stdout.write(f"Failed: {', '.join(failed)}\n" if failed else f"All {len(CHECKS)} checks passed.\n")
    return 1 if failed else 0
