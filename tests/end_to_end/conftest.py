"""A demo Zendesk in this process, and a configuration that is connected to a fresh account of it."""

import threading
from collections.abc import Iterator

import pytest

from crm_integrations.models import Configuration
from demo.zendesk.app import create_app
from demo.zendesk.server import build_server
from tests.end_to_end.demo_account import ACCOUNT, Demo
from tests.end_to_end.script_desk import ScriptDesk, open_desk
from tests.factories import make_authentication, make_configuration


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The demo Zendesk of a test module."""
    server = build_server(create_app(None), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Demo(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def configuration(db: None, demo: Demo, settings: object) -> Configuration:
    """An active configuration of the account, seeded afresh, without limits."""
    settings.CRM_PROVIDERS = ["crm_integrations.providers.zendesk.provider.ZendeskProvider"]
    settings.ZENDESK_BASE_URL = demo.url + "/{subdomain}"
    settings.ZENDESK_OAUTH_CLIENT_ID, settings.ZENDESK_OAUTH_CLIENT_SECRET = "agent_integrations_demo", "demo-secret"
    demo.ask("reset", {})
    demo.ask("limits", {"enabled": False})
    pair = demo.ask("tokens", {"expires_in": 7200})
    authentication = make_authentication(
        address=ACCOUNT,
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        system_user_id=str(pair["user_id"]),
    )
    authentication.account.provider = "zendesk"
    authentication.account.save()
    return make_configuration(authentication=authentication, integration_type="zendesk")


@pytest.fixture
def desk(configuration: Configuration) -> ScriptDesk:
    """A script of a contact centre in Canada, with a key of the configuration."""
    configuration.phone_country = "CA"
    configuration.save()
    return open_desk(configuration)
