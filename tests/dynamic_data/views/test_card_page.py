"""The card's page for an agent's desktop (dynamic_data.views.card_page)."""

import re
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.core.signing import TimestampSigner, b62_encode
from django.urls import resolve, reverse
from django.utils import timezone

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration, FoundRecord
from crm_integrations.services.intake_keys import create_key, revoke_key, rotate_key
from dynamic_data.services.card_addresses import CardAddress, read_address, sign_address
from tests.factories import make_configuration, make_dynamic_mapping
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
TICKET = RecordReference("ticket", "1")


@pytest.fixture
def configuration():
    configuration = make_configuration(external_domain="https://help.acme.test")
    make_dynamic_mapping(configuration, {"ticket": ["subject", "priority", "notes"]})
    account = MemoryProvider.accounts["acme"]
    account.records["ticket", "1"] = {"subject": "Broken <printer>", "notes": "https://example.com/a?b=1&c=2"}
    account.records["ticket", "2"] = {"subject": "Second"}
    FoundRecord.objects.create(
        configuration=configuration, contact_id="c1", entity_type="ticket", record_id="2", found_at=timezone.now()
    )
    return configuration


@pytest.fixture
def signed(configuration):
    return sign(configuration)


def sign(configuration, *, age: timedelta = timedelta(), language: str = "en", key=None) -> str:
    at, key = timezone.now() - age, key or make_key(configuration)
    return sign_address(CardAddress(configuration.pk, key.pk, "c1", "agent", language, "America/Toronto", at, at))


def make_key(configuration, kind: str = "bearer"):
    return create_key(configuration=configuration, kind=kind, label="Studio", actor=None, now=timezone.now())[0]


def card_url(signed: str) -> str:
    return reverse("customer_card", args=[signed])


def link_url(signed: str) -> str:
    return reverse("customer_card_link", args=[signed])


def onward_url(response) -> str:
    return re.search(r'href="(/card/[^"?]+)\?look=refresh"', text_of(response))[1]


def signed_at(url: str) -> datetime:
    return read_address(resolve(url).kwargs["signed"], now=timezone.now()).signed_at


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def reads() -> int:
    return sum(name == "get_records" for name, _details in MemoryProvider.accounts["acme"].calls)


def test_the_card_shows_both_sections_with_their_records(client, signed, kept_links):
    kept_links.links["c1"] = [TICKET]
    page = text_of(client.get(card_url(signed)))
    assert "Current Interaction" in page and "Related Interactions" in page
    assert "Broken &lt;printer&gt;" in page and "Second" in page
    assert 'href="https://help.acme.test/ticket/1" target="_blank" rel="noopener noreferrer"' in page
    assert '<a href="https://example.com/a?b=1&amp;c=2" target="_blank"' in page
    assert 'value="unlink"' in page and 'value="link"' in page


def test_a_card_without_records_says_so(client, configuration, kept_links):
    FoundRecord.objects.all().delete()
    assert "No information available" in text_of(client.get(card_url(sign(configuration))))


def test_the_page_may_be_framed_by_the_desktop_alone_and_leaves_no_trace(client, signed, kept_links, settings):
    settings.CARD_FRAME_ANCESTORS = ["'self'", "https://*.nicecxone.com"]
    response = client.get(card_url(signed))
    policy = response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://*.nicecxone.com" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "X-Frame-Options" not in response.headers
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.cookies == {}
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_other_pages_may_still_not_be_framed(client):
    response = client.get("/accounts/login/")
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_an_expired_a_foreign_and_a_tampered_address_show_nothing_and_stay_in_the_frame(client, configuration):
    expired = client.get(card_url(sign(configuration, age=timedelta(minutes=31))))
    assert expired.status_code == 410
    assert "This card has expired" in text_of(expired)
    for refused in (client.get(card_url("nonsense")), client.get(card_url(sign(configuration)[:-1]))):
        assert refused.status_code == 404
        assert "frame-ancestors 'self'" in refused.headers["Content-Security-Policy"]


def test_a_deleted_and_a_stopped_configuration_say_so(client, configuration, signed, kept_links):
    Configuration.objects.filter(pk=configuration.pk).update(state="inactive")
    assert client.get(card_url(signed)).status_code == 409
    Configuration.objects.filter(pk=configuration.pk).update(state="deleted", deleted_at=timezone.now())
    assert client.get(card_url(signed)).status_code == 404


def end_revoked(key):
    revoke_key(key=key, actor=None, now=timezone.now())


def end_replaced(key):
    rotate_key(key=key, overlap=timedelta(0), actor=None, now=timezone.now())


def end_deleted(key):
    key.delete()


@pytest.mark.parametrize("kind", ["bearer", "signing"])
@pytest.mark.parametrize("end", [end_revoked, end_replaced, end_deleted])
def test_an_address_ends_with_the_key_that_it_was_asked_for_with(client, configuration, kept_links, kind, end):
    key = make_key(configuration, kind)
    signed, other = sign(configuration, key=key), sign(configuration)
    assert client.get(card_url(signed)).status_code == 200
    end(key)
    linking = {"entityType": "ticket", "id": "2", "act": "link"}
    for refused in (client.get(card_url(signed)), client.post(link_url(signed), linking)):
        assert refused.status_code == 410
        assert "The access to this card has ended" in text_of(refused)
        assert "Second" not in text_of(refused)
    assert kept_links.links == {}
    assert client.get(card_url(other)).status_code == 200


def test_an_address_goes_on_while_its_key_is_being_replaced(client, configuration, kept_links):
    key = make_key(configuration)
    rotate_key(key=key, overlap=timedelta(hours=1), actor=None, now=timezone.now())
    assert client.get(card_url(sign(configuration, key=key))).status_code == 200


def test_an_address_that_the_page_renewed_ends_with_the_same_key(client, configuration, kept_links):
    key = make_key(configuration)
    kept_links.live.add("c1")
    page = text_of(client.get(card_url(sign(configuration, key=key, age=timedelta(minutes=10)))))
    renewed = re.search(r'href="(/card/[^"?]+)\?look=refresh"', page)[1]
    assert client.get(renewed).status_code == 200
    end_revoked(key)
    assert client.get(renewed).status_code == 410


def test_a_key_of_another_configuration_opens_no_card(client, configuration, kept_links):
    signed = sign(configuration, key=make_key(make_configuration()))
    assert client.get(card_url(signed)).status_code == 410


def unsigned(url):
    """A card's address without the moment when it was signed."""
    return url.split(":")[0]


def test_it_links_and_unlinks_with_plain_forms(client, signed, kept_links):
    response = client.post(link_url(signed), {"entityType": "ticket", "id": "2", "act": "link"})
    assert (response.status_code, unsigned(response.url)) == (302, unsigned(card_url(signed)))
    assert kept_links.links["c1"] == [RecordReference("ticket", "2")]
    client.post(link_url(signed), {"entityType": "ticket", "id": "2", "act": "unlink"})
    assert kept_links.links["c1"] == []


def test_with_scripts_the_changed_part_comes_back(client, signed, kept_links):
    sent = {"entityType": "ticket", "id": "2", "act": "link"}
    response = client.post(link_url(signed), sent, headers={"HX-Request": "true"})
    page = text_of(response)
    assert page.startswith('<main id="card"')
    assert 'value="unlink"' in page


def test_only_what_the_card_offers_can_be_linked(client, signed, kept_links):
    response = client.post(link_url(signed), {"entityType": "ticket", "id": "1", "act": "link"})
    assert response.status_code == 409
    assert "no longer on the card" in text_of(response)
    assert kept_links.links.get("c1", []) == []
    for wrong in ({}, {"entityType": "ticket", "id": "1"}, {"entityType": "<", "id": "1", "act": "link"}):
        assert client.post(link_url(signed), wrong).status_code == 400


def test_methods_that_do_not_fit_are_refused(client, signed):
    assert client.post(card_url(signed)).status_code == 405
    assert client.get(link_url(signed)).status_code == 405


def test_it_updates_itself_while_the_interaction_goes_on_and_then_stops(client, configuration, kept_links):
    old = sign(configuration, age=timedelta(minutes=10))
    assert "every 5s" not in text_of(client.get(card_url(old)))
    kept_links.live.add("c1")
    assert "every 5s" in text_of(client.get(card_url(old)))


def test_a_new_card_waits_a_little_for_its_interaction_to_begin(client, signed, kept_links):
    assert "every 5s" in text_of(client.get(card_url(signed)))


def test_the_page_renews_its_address_while_the_interaction_goes_on(client, configuration, kept_links):
    old = sign(configuration, age=timedelta(minutes=10))
    assert signed_at(onward_url(client.get(card_url(old)))) == signed_at(card_url(old))
    kept_links.live.add("c1")
    renewed = onward_url(client.get(card_url(old)))
    assert signed_at(renewed) > signed_at(card_url(old))
    assert client.get(renewed).status_code == 200


def test_a_poll_that_finds_nothing_new_has_no_body_and_asks_the_crm_nothing(client, signed, kept_links, monkeypatch):
    kept_links.live.add("c1")
    seconds = count(int(timezone.now().timestamp()))  # each signature a second after the one before
    monkeypatch.setattr(TimestampSigner, "timestamp", lambda _self: b62_encode(next(seconds)))
    page = text_of(client.get(card_url(signed)))
    poll = re.search(r'hx-get="([^"]+look=poll[^"]+)"', page)[1].replace("&amp;", "&")
    before = reads()
    response = client.get(poll, headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (204, b"")
    kept_links.links["c1"] = [RecordReference("ticket", "2")]
    assert client.get(poll, headers={"HX-Request": "true"}).status_code == 200
    assert reads() == before == 1


def test_it_speaks_the_language_of_its_address(client, configuration, kept_links):
    response = client.get(card_url(sign(configuration, language="fr-ca")), headers={"Accept-Language": "en"})
    assert 'lang="fr-ca"' in text_of(response)
    assert response.headers["Content-Language"] == "fr-ca"


def test_a_look_at_the_card_takes_a_handful_of_queries(client, signed, kept_links, django_assert_num_queries):
    client.get(card_url(signed))
    with django_assert_num_queries(3):
        client.get(card_url(signed))
