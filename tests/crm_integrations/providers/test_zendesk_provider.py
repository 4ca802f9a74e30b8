"""Zendesk as an integration type: what is made of what administrators paste."""

import pytest

from crm_integrations.providers.zendesk.provider import ZendeskProvider

DEMO = "http://127.0.0.1:8900/{subdomain}"
REAL = "https://{subdomain}.zendesk.com"


@pytest.mark.parametrize(
    ("base", "pasted", "kept"),
    [
        (REAL, "acme.zendesk.com", "https://acme.zendesk.com"),
        (REAL, " https://Help.Acme.example/agent/tickets/1?x=1 ", "https://help.acme.example"),
        (DEMO, "http://127.0.0.1:8900/acme/", "http://127.0.0.1:8900/acme"),
        (DEMO, "https://acme.zendesk.com/", "https://acme.zendesk.com"),
    ],
)
def test_of_an_external_domain_only_what_links_need_is_kept(settings, base, pasted, kept):
    settings.ZENDESK_BASE_URL = base
    assert ZendeskProvider().clean_external_domain(pasted) == kept


@pytest.mark.parametrize(
    ("base", "pasted"),
    [
        (REAL, "http://acme.zendesk.com"),
        (REAL, "javascript://acme.zendesk.com/%0aalert(1)"),
        (REAL, "https://acme.zendesk.com:8443"),
        (REAL, "https://acme.zendesk.com:port"),
        (REAL, "https://me@acme.zendesk.com"),
        (REAL, "https://[acme.zendesk.com"),
        (REAL, 'https://acme"onclick=".example'),
        (REAL, "https://acme .example"),
        (REAL, "acme"),
        (REAL, "http://127.0.0.1:8900/acme"),
        (DEMO, "javascript://localhost/%0aalert(1)"),
        (DEMO, "http://me:secret@localhost/acme"),
    ],
)
def test_what_is_no_address_of_a_crm_is_refused_with_a_sentence_for_people(settings, base, pasted):
    settings.ZENDESK_BASE_URL = base
    with pytest.raises(ValueError, match="Paste the address of your Zendesk"):
        ZendeskProvider().clean_external_domain(pasted)
