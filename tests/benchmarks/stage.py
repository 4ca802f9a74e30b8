"""Where one benchmark runs: a fresh database, a broker, folders that are thrown away, and the product's environment."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2

from config.stack.postgres import running_postgres
from config.stack.valkey import running_valkey
from tests.launch import PRODUCT_VARIABLES, SECRETS

# Placeholders only: the demo CRM knows this client.
CLIENT = {"ZENDESK_OAUTH_CLIENT_ID": "agent_integrations_demo", "ZENDESK_OAUTH_CLIENT_SECRET": "demo-secret"}


@contextmanager
def prepared_stage(database: str, folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a benchmark process on a database and a broker of its own."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        broker = stack.enter_context(running_valkey(folder=folder / "valkey"))
        if database == "sqlite":
            address = f"sqlite:///{folder}/bench.sqlite3"
        else:
            address = _create_database(stack.enter_context(running_postgres(folder=folder / "postgres")))
        yield {
            **{
                name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in PRODUCT_VARIABLES
            },
            **SECRETS,
            **CLIENT,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": address,
            "REDIS_URL": broker.url,
            "VAR_DIR": str(folder / "var"),
            "LOG_LEVEL": "WARNING",
            "PYTHONHASHSEED": "0",
        }


def _create_database(server_url: str) -> str:
    connection = psycopg2.connect(server_url)
    try:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE bench")
    finally:
        connection.close()
    return server_url.replace("/postgres?", "/bench?")


def prepare_database() -> None:
    """Make the tables, straight from the models; Django is set up on the stage's database."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from tests.benchmarks.bare.models import BareEvent

    settings.MIGRATION_MODULES = dict.fromkeys(config.label for config in apps.get_app_configs())
    call_command("migrate", run_syncdb=True, verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(BareEvent)
