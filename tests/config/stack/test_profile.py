"""What one start decides reaches every process."""

import pytest

from config.stack.profile import process_environment, read_profile


@pytest.fixture
def bare(monkeypatch):
    for name in (
        "PORT",
        "SITE_URL",
        "DEMO",
        "DB",
        "ZENDESK_BASE_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "DEMO_ZENDESK_PORT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("config.stack.profile.env.load_dotenv", lambda path: None)
    return monkeypatch


def test_the_address_follows_the_port(bare):
    bare.setenv("PORT", "8010")

    assert read_profile().site_url == "http://localhost:8010"


def test_the_demo_zendesk_is_where_accounts_live(bare):
    bare.setenv("DEMO_ZENDESK_PORT", "8950")
    environment = process_environment(read_profile(), redis_url="redis://broker", database_url="")

    assert environment["ZENDESK_BASE_URL"] == "http://127.0.0.1:8950/{subdomain}"
    assert environment["REDIS_URL"] == "redis://broker"


def test_the_demo_is_never_played_against_a_real_account(bare):
    bare.setenv("ZENDESK_BASE_URL", "https://{subdomain}.zendesk.com")

    assert not read_profile().has_demo


def test_without_the_demo_nothing_points_to_it(bare):
    bare.setenv("DEMO", "0")
    environment = process_environment(read_profile(), redis_url="redis://broker", database_url="")

    assert "ZENDESK_BASE_URL" not in environment
