"""The list and the overview (crm_integrations.views.configurations, selectors, overview)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm_integrations import overview
from crm_integrations.models import Authentication, CallBudget
from crm_integrations.overview import Facts, LastDelivery, MappingCount
from crm_integrations.permissions import (
    CREATE_CONFIGURATIONS,
    DELETE_CONFIGURATIONS,
    EDIT_CONFIGURATIONS,
    VIEW_CONFIGURATIONS,
)
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_authentication, make_configuration, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def facts(monkeypatch):
    """A floor above that knows things."""
    known = {}
    monkeypatch.setattr(overview, "_facts_sources", {"test": lambda ids: {pk: known[pk] for pk in ids if pk in known}})
    return known


@pytest.fixture
def page(client):
    client.force_login(
        make_user(VIEW_CONFIGURATIONS, CREATE_CONFIGURATIONS, EDIT_CONFIGURATIONS, DELETE_CONFIGURATIONS)
    )

    def read(url_name, *args, **query):
        response = client.get(reverse(url_name, args=args), query)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    return read


def test_an_empty_list_explains_itself_and_offers_the_first_configuration(page, facts):
    text = page("configuration_list")
    assert "No CRM configuration yet" in text and text.count("New CRM Configuration") == 1


def test_a_line_shows_account_state_mappings_and_last_delivery(page, facts):
    authentication = make_authentication(system_user_name="Robo")
    configuration = make_configuration(name="Support", authentication=authentication)
    delivery = LastDelivery(timezone.now(), "partial", "Partial", "/deliveries/7/")
    facts[configuration.pk] = Facts((MappingCount("Data Memorialization", 3),), delivery, (1,) * 24, 0.5)
    text = page("configuration_list")
    for expected in ("Support", "Memory CRM", "acme", "Robo", "Active", "3", "/deliveries/7/", "50.0% succeeded"):
        assert expected in text


@pytest.mark.parametrize(
    ("stored", "held", "shown"),
    [
        ("draft", "active", "Set-up is not finished"),
        ("inactive", "active", "Deactivated by an administrator"),
        ("active", "reauthenticate", "The CRM no longer accepts the access"),
        ("active", "system_user_removed", "The system user was deleted or suspended"),
        ("system_user_removed", "system_user_removed", "The system user was deleted or suspended"),
    ],
)
def test_every_state_is_told_in_words_and_can_be_filtered(page, facts, stored, held, shown):
    configuration = make_configuration(state=stored, authentication=make_authentication(state=held))
    other = make_configuration()
    state = held if stored == "active" else stored
    text = page("configuration_list", state=state)
    assert shown in text and configuration.name in text and other.name not in text


def test_search_finds_by_name_account_and_system_user(page, facts):
    wanted = make_configuration(
        name="Blue", authentication=make_authentication(address="bluehost", system_user_name="Robo")
    )
    for _time in range(11):
        make_configuration()
    assert 'type="search"' in page("configuration_list")
    for word in ("blue", "bluehost", "ROBO"):
        text = page("configuration_list", q=word)
        assert wanted.name in text and "Support " not in text
    assert "No configuration matches" in page("configuration_list", q="nothing like it")
    assert wanted.name in page("configuration_list", q="Bl\x00ue")


def test_up_to_ten_configurations_need_no_search(page, facts):
    for _time in range(10):
        make_configuration()
    assert 'type="search"' not in page("configuration_list")


def test_the_list_takes_the_same_number_of_queries_whatever_its_length(client, facts, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(make_user(VIEW_CONFIGURATIONS))
    make_configuration()
    client.get(reverse("configuration_list"))
    with CaptureQueriesContext(
        connection,
    ) as short:
        client.get(reverse("configuration_list"))
    for number in range(15):
        make_configuration(address=f"account{number}")
    with CaptureQueriesContext(connection) as long:
        client.get(reverse("configuration_list"))
    assert len(long) == len(short)


def test_the_overview_shows_id_address_account_and_rights(page, facts):
    authentication = make_authentication(
        system_user_name="Robo",
        rights=[
            {"right": "read", "outcome": "pass", "detail": ""},
            {"right": "write", "outcome": "fail", "detail": "light agent"},
        ],
    )
    CallBudget.objects.create(
        account=authentication.account, limit_class="account", calls=700, window_s=60, granted=340, foreign=10,
        window_ends_at=timezone.now() + timedelta(minutes=1),
    )  # fmt: skip
    configuration = make_configuration(authentication=authentication)
    text = page("configuration_detail", configuration.pk)
    for expected in (
        str(configuration.pk),
        f"/api/v1/configurations/{configuration.pk}/events",
        "https://acme.memory.test",
        "Robo",
        "Read everything",
        "light agent",
        "350 of 700",
        "memory_ticket_id",
        "No key yet.",
    ):
        assert expected in text


def pause(configuration, *, minutes):
    CallBudget.objects.create(
        account=configuration.authentication.account,
        limit_class="account",
        window_s=60,
        blocked_until=timezone.now() + timedelta(minutes=minutes),
        block_reason="slow",
    )


def test_health_names_what_is_wrong_first(page, facts):
    configuration = make_configuration()
    read = lambda: page("configuration_detail", configuration.pk)  # noqa: E731
    assert "No intake key is usable" in read()
    create_key(configuration=configuration, kind="bearer", label="K", actor=None, now=timezone.now())
    assert "Connected; everything is in order." in read()
    facts[configuration.pk] = Facts((MappingCount("Data Memorialization", 0),))
    assert "No mapping is active" in read()
    Authentication.objects.update(rights=[{"right": "write", "outcome": "fail", "detail": ""}])
    assert "The system user lacks rights" in read()
    pause(configuration, minutes=5)
    assert "The CRM asked to slow down" in read()
    assert '<span title="account">account</span>: slow' in read()
    Authentication.objects.update(state="reauthenticate", state_reason="invalid_grant")
    assert "Re-authenticate; what was held is then delivered in order." in read()


def test_limits_are_shown_by_their_names_for_people_with_the_crms_own_behind_them(page, facts, monkeypatch):
    monkeypatch.setattr(MemoryProvider, "limit_labels", {"account": "All calls", "update": "Updates"})
    configuration = make_configuration()
    pause(configuration, minutes=5)
    for name in ("update", "unheard-of"):
        budget = {"limit_class": name, "window_s": 60, "calls": 100}
        CallBudget.objects.create(account=configuration.authentication.account, **budget)
    text = page("configuration_detail", configuration.pk)
    assert '<span title="update">Updates</span>' in text and 'aria-label="Updates"' in text
    assert '<span title="unheard-of">unheard-of</span>' in text
    assert '<span title="account">All calls</span>: slow' in text


def test_a_pause_that_is_over_is_not_shown(page, facts):
    configuration = make_configuration()
    pause(configuration, minutes=-5)
    text = page("configuration_detail", configuration.pk)
    assert "Deliveries resume" not in text and "slow" not in text


def test_a_configuration_whose_type_is_no_longer_installed_can_still_be_seen(page, facts):
    configuration = make_configuration(integration_type="gone")
    assert "gone" in page("configuration_list")
    assert configuration.name in page("configuration_detail", configuration.pk)


def test_pages_do_not_need_to_read_tokens(page, facts):
    from django.db import connection

    configuration = make_configuration()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_integrations_authentication SET access_token = 'v1:lost', refresh_token = 'v1:lost'")
    page("configuration_list")
    page("configuration_detail", configuration.pk)
    page("configuration_reauthenticate", configuration.pk)
