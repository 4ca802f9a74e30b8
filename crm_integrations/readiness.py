"""Whether the product makes progress: checks that apps register in `AppConfig.ready`; `/readyz` runs them all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import redis
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from crm_integrations.broken_connections import drop_connection
from crm_integrations.database_clock import Clock, read_steady_clock

BROKER_TIMEOUT_S = 2  # a load balancer asks every few seconds and must get its answer


@dataclass(frozen=True)
class CheckResult:
    """One check's answer; `detail` is for operators and holds no secrets."""

    is_ready: bool
    detail: str


Check = Callable[[datetime], CheckResult]
_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Add a check; registering one name again replaces it."""
    _checks[name] = check


def readiness(*, clock: Clock = read_steady_clock) -> dict[str, CheckResult]:
    """Every check's result by name; one that breaks is not ready, and the others still run."""
    now = _read(clock)
    return {name: _run(check, now) for name, check in _checks.items()}


def _read(clock: Clock) -> datetime:
    try:
        return clock()
    except Error:  # the checks say so
        drop_connection()
        return timezone.now()


def _run(check: Check, now: datetime) -> CheckResult:
    """Its result; a connection that broke is not left to the next check, to which the database may answer."""
    try:
        return check(now)
    except Error as error:  # InterfaceError, which a connection that is closed raises, is no DatabaseError
        drop_connection()
        return CheckResult(False, f"database: {type(error).__name__}")


def check_database(now: datetime) -> CheckResult:
    """The database answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return CheckResult(True, "answers")


def check_broker(now: datetime) -> CheckResult:
    """The broker answers within two seconds."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT_S, socket_connect_timeout=BROKER_TIMEOUT_S
    )
    try:
        client.ping()
    except redis.RedisError as error:
        return CheckResult(False, type(error).__name__)
    finally:
        client.close()
    return CheckResult(True, "answers")


register_check("database", check_database)
register_check("broker", check_broker)
