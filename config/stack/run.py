"""`make run`: the whole product on one machine, from an empty folder or where it stopped, until Ctrl-C."""

import fcntl
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.stack import programs
from config.stack.administrator import read_first_administrator
from config.stack.last_start import OtherAccounts, remember_start
from config.stack.ports import LOOPBACK, PortTaken, is_answering, require_free_port
from config.stack.postgres import PostgresFailed, running_postgres
from config.stack.processes import end_with_parent
from config.stack.profile import Profile, process_environment, read_profile
from config.stack.screen import Screen
from config.stack.supervisor import StepFailed, StopRequested, Supervisor
from config.stack.valkey import LOG_NAME, Valkey, prepare_valkey

READY_PATIENCE_S = 60


class AlreadyRunning(Exception):
    """Another `make run` uses the same folder."""


def run_product() -> int:
    """Start everything, stay until asked to stop; gives the exit code."""
    if "MAKELEVEL" in os.environ:
        end_with_parent(parent=os.getppid(), ending=signal.SIGTERM)  # make killed: nothing stays behind
    screen = Screen()
    try:
        profile = read_profile()
        with ExitStack() as stack:
            stack.enter_context(exclusive_use(profile.var_dir))
            require_ports(profile)
            database_url = profile.database_url
            if profile.has_bundled_postgres:
                database_url = stack.enter_context(running_postgres(folder=profile.var_dir / "postgres"))
            return _supervise(profile, screen, database_url=database_url)
    except (AlreadyRunning, ImproperlyConfigured, OtherAccounts, PortTaken, PostgresFailed) as error:
        screen.say(str(error))
        return 1


@contextmanager
def exclusive_use(var_dir: Path) -> Iterator[None]:
    """Hold the folder for one start at a time; the kernel lets go of it whatever becomes of us."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(f"The product is already running on the data of {var_dir}. Stop it first.") from error
        yield


def require_ports(profile: Profile) -> None:
    """Raise PortTaken before anything is started."""
    require_free_port(port=profile.port, variable="PORT", purpose="the pages")
    if profile.has_demo:
        require_free_port(port=profile.demo_zendesk_port, variable="DEMO_ZENDESK_PORT", purpose="the demo Zendesk")
        require_free_port(
            port=profile.demo_contact_centre_port,
            variable="DEMO_CONTACT_CENTRE_PORT",
            purpose="the demo contact centre",
        )


def _supervise(profile: Profile, screen: Screen, *, database_url: str) -> int:
    valkey = None if profile.redis_url else prepare_valkey(folder=profile.var_dir / "valkey")
    redis_url = valkey.url if valkey else profile.redis_url
    environment = process_environment(profile, redis_url=redis_url, database_url=database_url)
    remember_start(profile.var_dir, environment)
    supervisor = Supervisor(screen=screen, environment=environment)
    supervisor.listen_to_signals()
    code = 0
    try:
        start_product(supervisor, profile, valkey)
        supervisor.watch()
    except StopRequested:
        pass
    except StepFailed as error:
        screen.say(str(error))
        code = 1
    screen.say("Stopping…")
    supervisor.stop()
    screen.say("Stopped. The data stay; `make run` goes on where you left off.")
    return code


def start_product(supervisor: Supervisor, profile: Profile, valkey: Valkey | None) -> None:
    """Bring up the parts in order. Raises StepFailed or StopRequested."""
    supervisor.screen.say("Preparing the database and the pages…")
    if profile.has_demo:
        supervisor.start(programs.demo_zendesk(profile))
    if valkey:
        _start_broker(supervisor, valkey)
    supervisor.run_steps(programs.preparation())
    for program in programs.product(profile):
        supervisor.start(program)
    if profile.has_demo:
        _start_demo(supervisor, profile)
    if not supervisor.wait_until(lambda: is_serving(profile.port), patience_s=READY_PATIENCE_S):
        raise StepFailed(f"Stopping: the pages did not answer within {READY_PATIENCE_S} s.")
    supervisor.screen.write(summary(profile, running=supervisor.names()))


def _start_broker(supervisor: Supervisor, valkey: Valkey) -> None:
    """Start Valkey; data it cannot read are put aside: they are only hints, the database is the truth."""
    if _is_broker_up(supervisor, valkey):
        return
    data = valkey.folder / "appendonlydir"
    if data.exists():
        supervisor.screen.say("The broker cannot read its data and starts empty; the deliveries are not touched.")
        data.rename(valkey.folder / f"unreadable-{os.getpid()}")
        if _is_broker_up(supervisor, valkey):
            return
    raise StepFailed(f"Stopping: the broker does not start; {valkey.folder / LOG_NAME} says why.")


def _is_broker_up(supervisor: Supervisor, valkey: Valkey) -> bool:
    step = programs.broker(valkey)
    supervisor.start(replace(step, is_step=True))
    supervisor.wait_until(
        lambda: is_answering(valkey.port) or not supervisor.is_alive(step.name), patience_s=READY_PATIENCE_S
    )
    if supervisor.is_alive(step.name):
        supervisor.keep(step)
        return True
    supervisor.forget(step.name)
    return False


def _start_demo(supervisor: Supervisor, profile: Profile) -> None:
    """Seed the demo configuration and start the contact centre on it, as far as they go."""
    supervisor.wait_until(
        lambda: is_answering(profile.demo_zendesk_port) or supervisor.has_given_up(programs.DEMO_ZENDESK),
        patience_s=READY_PATIENCE_S,
    )
    if not is_answering(profile.demo_zendesk_port):
        supervisor.screen.say("The demo Zendesk does not answer; the product runs without the demo.")
        return
    try:
        supervisor.run_steps([programs.seeding(profile)])
    except StepFailed:
        supervisor.screen.say("The demo configuration could not be made; the product runs without it.")
        return
    if programs.has_module("demo.contact_centre"):
        supervisor.start(programs.demo_contact_centre(profile))


def is_serving(port: int) -> bool:
    """Whether the web server answers a page, whatever the page says."""
    try:
        urllib.request.urlopen(f"http://{LOOPBACK}:{port}/healthz", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def summary(profile: Profile, *, running: Collection[str]) -> str:
    """The block that says where to go."""
    first = read_first_administrator(profile.var_dir)
    lines = [("Agent Integrations", profile.site_url)]
    lines += [("user", first.username), ("password", first.password)] if first else []
    lines += [] if first else [("sign in", "with the password you chose")]
    if programs.DEMO_ZENDESK in running:
        lines.append(("demo Zendesk", f"http://{LOOPBACK}:{profile.demo_zendesk_port}/"))
    if programs.CONTACT_CENTRE in running:
        lines.append(("demo contact centre", f"http://{LOOPBACK}:{profile.demo_contact_centre_port}/"))
    width = max(len(label) for label, _ in lines)
    body = "".join(f"  {label:<{width}}  {value}\n" for label, value in lines)
    return f"\n{body}\n  Ctrl-C stops everything.\n\n"
