"""What machines watch: alive, progress and figures."""

from datetime import UTC, datetime

import pytest
from django.db import InterfaceError, OperationalError, connection

from crm_integrations import readiness
from crm_integrations.metrics import register_metrics
from crm_integrations.readiness import CheckResult, check_broker, check_database

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.fixture
def checks(monkeypatch):
    own = {}
    monkeypatch.setattr(readiness, "_checks", own)
    return own


def test_alive_asks_nothing_else(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}


@pytest.mark.django_db
def test_ready_while_every_check_passes(client, checks):
    readiness.register_check("database", lambda now: CheckResult(True, "answers"))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": {"ready": True, "detail": "answers"}}}


@pytest.mark.django_db
def test_stuck_is_503_and_names_the_check(client, checks):
    readiness.register_check("database", lambda now: CheckResult(True, "answers"))
    readiness.register_check("deliveries", lambda now: CheckResult(False, "waits for 90 s"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "stuck"
    assert answer.json()["checks"]["deliveries"] == {"ready": False, "detail": "waits for 90 s"}


@pytest.mark.django_db
def test_a_check_that_finds_the_database_gone_is_not_ready_and_hides_nothing_else(checks):
    def gone(now):
        raise OperationalError("password=secret host=db")

    readiness.register_check("deliveries", gone)
    readiness.register_check("broker", lambda now: CheckResult(True, "answers"))
    results = readiness.readiness(clock=lambda: NOW)
    assert results["broker"].is_ready
    assert not results["deliveries"].is_ready
    assert "secret" not in results["deliveries"].detail


@pytest.mark.django_db
def test_a_connection_that_is_closed_is_not_ready_and_hides_nothing_else(client, checks):
    """InterfaceError is no DatabaseError."""

    def closed(now):
        raise InterfaceError("connection already closed")

    readiness.register_check("deliveries", closed)
    readiness.register_check("broker", lambda now: CheckResult(True, "answers"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"]["ready"]


@pytest.mark.django_db
def test_checks_are_run_although_the_database_does_not_say_what_time_it_is(checks):
    def gone():
        raise InterfaceError("connection already closed")

    readiness.register_check("broker", lambda now: CheckResult(now.tzinfo is not None, "answers"))
    assert readiness.readiness(clock=gone)["broker"].is_ready


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection that could break")
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_not_left_to_the_next_check(client, checks):
    def hang_up(now):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    readiness.register_check("first", hang_up)
    readiness.register_check("second", check_database)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {name: check["ready"] for name, check in answer.json()["checks"].items()} == {"first": False, "second": True}


@pytest.mark.django_db
def test_the_database_check_asks_the_database():
    assert check_database(NOW).is_ready


def test_a_broker_that_does_not_listen_is_not_ready(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert check_broker(NOW) == CheckResult(False, "ConnectionError")


def test_a_broker_that_answers_is_ready(valkey_url):
    assert check_broker(NOW).is_ready


@pytest.mark.django_db
def test_figures_are_open_to_this_machine_alone_without_a_token(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.8").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"],
)
def test_figures_are_closed_to_strangers_behind_a_proxy_on_this_machine(client, settings, header):
    settings.METRICS_TOKEN = ""
    answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={header: "203.0.113.9"})
    assert answer.status_code == 403


@pytest.mark.django_db
def test_figures_need_the_token_when_one_is_set(client, settings):
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200


@pytest.mark.django_db
def test_figures_come_from_every_registered_source(client, settings, monkeypatch):
    from prometheus_client.core import GaugeMetricFamily

    from crm_integrations import metrics

    monkeypatch.setattr(metrics, "_sources", {})
    register_metrics("sample", lambda: [GaugeMetricFamily("sample_figure", "A sample.", value=7)])
    assert "sample_figure 7.0" in client.get("/metrics", REMOTE_ADDR="127.0.0.1").text
