"""What every test gets: one database a run, a broker on demand, no network, languages compiled.

`make test` runs the suite on SQLite in two parts, and with `--database-tests` on PostgreSQL; `pytest` alone runs all of
it on SQLite.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection, connections
from kombu import pools

from config.celery import app as celery_app
from config.stack.translations import compile_catalogues
from config.stack.valkey import running_valkey
from tests.network_guard import NetworkGuard

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup", "django_db_serialized_rollback"}
NO_BROKER = "memory://"  # hints are published and nobody reads them
guard_key = pytest.StashKey[NetworkGuard]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The selection for a second database."""
    parser.addoption(
        "--database-tests",
        action="store_true",
        help="leave out tests without a database and tests marked `once`: they show the same on every database",
    )
    parser.addoption("--part", choices=("browser", "rest"), help="only the tests with a real browser, or all others")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the languages when they changed, and shut the door to the network for the whole session."""
    compile_catalogues()
    config.stash[guard_key] = NetworkGuard()
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    config.stash[guard_key].install(patch)


def pytest_report_header() -> list[str]:
    """Which servers the tests talk to."""
    broker = "Valkey of this run" if os.environ.get("TEST_VALKEY_URL") else "Valkey, started by the tests that need it"
    return [f"database: {connection.display_name}", f"broker: {broker}"]


@pytest.hookimpl(trylast=True)  # tests/browser/ marks its own first
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the part that was asked for; with `--database-tests`, what can differ between databases."""
    part, differing_only = config.getoption("--part"), config.getoption("--database-tests")

    def is_wanted(item: pytest.Item) -> bool:
        is_browser = item.get_closest_marker("browser") is not None
        return part in (None, "browser" if is_browser else "rest") and (not differing_only or differs_by_database(item))

    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = [item for item in items if is_wanted(item)]


def differs_by_database(item: pytest.Item) -> bool:
    """Whether a test can come out differently on another database.

    pytest-django lets no test near the database that does not ask for it, so asking is the criterion.
    """
    if item.get_closest_marker("once"):
        return False
    if item.get_closest_marker("django_db") or item.get_closest_marker("each_database"):
        return True
    return bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def no_outside_network(request: pytest.FixtureRequest) -> Iterator[NetworkGuard]:
    """Fails the test that tried to reach another machine, even when its code swallowed the refusal."""
    guard = request.config.stash[guard_key]
    guard.refused.clear()
    yield guard
    if guard.refused:
        pytest.fail(f"The test tried to reach {', '.join(sorted(set(guard.refused)))}.")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What one test cached is no answer to the next one, whose rows have the same ids."""
    from crm_integrations.services.known_definitions import forget_parsed

    cache.clear()
    forget_parsed()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give every run a SQLite file of its own, so that two runs at once do not meet."""
    if connections["default"].vendor == "sqlite":
        folder = tmp_path_factory.mktemp("database")
        connections["default"].settings_dict["TEST"]["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def silent_broker() -> None:
    """Wake-up hints go nowhere unless a test asks for `valkey_url`."""
    point_celery_at(NO_BROKER)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Valkey server that belongs to the tests: `make test`'s own, else one started here."""
    given = os.environ.get("TEST_VALKEY_URL")
    with ExitStack() as stack:
        yield given or stack.enter_context(running_valkey(folder=tmp_path_factory.mktemp("valkey"))).url


@pytest.fixture
def valkey_url(valkey_server: str, settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty broker that Celery, the settings and child processes (`REDIS_URL`) all use during the test."""
    import redis

    with redis.Redis.from_url(valkey_server) as client:
        client.flushall()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = valkey_server
    monkeypatch.setenv("REDIS_URL", valkey_server)
    point_celery_at(valkey_server)
    yield valkey_server
    point_celery_at(NO_BROKER)


@pytest.fixture
def running_worker(valkey_url: str, transactional_db: None) -> Iterator[object]:
    """A Celery worker in threads of this process, on the real broker and the test database."""
    from celery.contrib.testing.worker import start_worker

    with start_worker(celery_app, pool="threads", concurrency=2, perform_ping_check=False) as worker:
        yield worker


def point_celery_at(url: str) -> None:
    """Have the application publish and read at `url` from now on."""
    celery_app.conf.update(broker_url=url, broker_read_url=url, broker_write_url=url)
    celery_app._pool = celery_app.amqp._producer_pool = None
    pools.reset()  # closes the pools; kombu would otherwise hand a closed one out again for the same address


@pytest.fixture(scope="session")
def project_dir() -> Path:
    """The top of the project."""
    return Path(__file__).resolve().parent.parent
