"""The processes of `make run` as data: what is started, and in which order it stops."""

import signal
import sys
from importlib.util import find_spec

from config.stack.ports import LOOPBACK
from config.stack.profile import Profile
from config.stack.supervisor import Program
from config.stack.valkey import Valkey

PYTHON = sys.executable
WEB_THREADS = 4  # a process: a slow page of one administrator does not hold up the intake
WORKER_PATIENCE_S = 40  # a call to the CRM under way may take 30 s
FRONT, WORKERS, OUTSIDE, BROKER = range(4)  # stop stages: nobody loses what they still need
DEMO_ZENDESK, CONTACT_CENTRE = "demo zendesk", "contact centre"
# The embedded profile may well run as root in a container; its broker takes orders from nobody else.
ROOT_WARNING = "ignore:You're running the worker with superuser privileges"
CELERY = (PYTHON, "-W", ROOT_WARNING, "-m", "celery", "--quiet", "--app", "config")


def has_module(name: str) -> bool:
    """Whether a part of the demo is there."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def broker(valkey: Valkey) -> Program:
    """The bundled Valkey server."""
    return Program("valkey", valkey.command, BROKER, ending=signal.SIGTERM)


def preparation() -> list[Program]:
    """Steps that must end well before the product starts."""
    return [
        Program("database", (PYTHON, "-m", "config.stack", "prepare-database"), FRONT, is_step=True),
        Program("static files", (PYTHON, "-m", "config.stack", "prepare-static-files"), FRONT, is_step=True),
    ]


def product(profile: Profile) -> list[Program]:
    """Web, worker and beat."""
    web: tuple[str, ...] = (
        PYTHON,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        LOOPBACK,
        "--port",
        str(profile.port),
    )
    web += ("--workers", str(profile.web_processes), "--blocking-threads", str(WEB_THREADS), "--log-level", "warning")
    schedule = str(profile.var_dir / "beat-schedule")
    return [
        Program("web", (*web, "config.wsgi:application"), FRONT, ending=signal.SIGTERM),
        Program(
            "worker",
            (*CELERY, "worker", "--without-gossip", "--without-mingle"),
            WORKERS,
            patience_s=WORKER_PATIENCE_S,
        ),
        Program("beat", (*CELERY, "beat", "--schedule", schedule, "--pidfile", ""), FRONT),
    ]


def demo_zendesk(profile: Profile) -> Program:
    """The stand-in Zendesk; without it the seeded configuration would point nowhere."""
    state = str(profile.var_dir / "demo" / "zendesk.sqlite3")
    command = (PYTHON, "-m", "demo.zendesk", "--port", str(profile.demo_zendesk_port), "--state", state)
    return Program(DEMO_ZENDESK, command, OUTSIDE, is_vital=False)


def seeding(profile: Profile) -> Program:
    """Makes the demo configuration and leaves its address and intake key in a private file."""
    command = (PYTHON, "manage.py", "seed_demo", "--output", str(profile.demo_target))
    return Program("seed", command, FRONT, is_step=True)


def demo_contact_centre(profile: Profile) -> Program:
    """Plays calls and chats against the seeded configuration."""
    state = str(profile.var_dir / "demo" / "contact_centre.sqlite3")
    command = (PYTHON, "-m", "demo.contact_centre", "--port", str(profile.demo_contact_centre_port), "--state", state)
    return Program(CONTACT_CENTRE, (*command, "--target", str(profile.demo_target)), FRONT, is_vital=False)
