"""Reading people and tickets of the real demo Zendesk."""

import threading

import pytest

from demo.contact_centre.customers import STRANGERS
from demo.contact_centre.desk import FRESH_S, Desk, fetch_book
from demo.zendesk.app import create_app
from demo.zendesk.server import build_server


@pytest.fixture
def zendesk():
    server = build_server(create_app(None), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address_of(server):
    return f"http://127.0.0.1:{server.server_address[1]}/acme"


def test_the_demo_zendesk_has_french_and_english_customers_with_open_and_closed_tickets(zendesk):
    book = fetch_book(address_of(zendesk))
    assert {each.is_french for each in book.customers} == {True, False}
    assert any(each.open_tickets for each in book.customers)
    assert any(each.closed_tickets for each in book.customers)


def test_the_last_known_people_serve_while_the_demo_zendesk_is_away(zendesk):
    times = [0.0]
    desk = Desk(clock=lambda: times[0])
    known = desk.book_of(address_of(zendesk))
    zendesk.shutdown()
    zendesk.server_close()
    times[0] = FRESH_S + 1
    assert desk.book_of(address_of(zendesk)) == known != desk.book_of("")


def test_without_a_demo_zendesk_strangers_call():
    desk = Desk()
    assert desk.book_of("http://127.0.0.1:9/acme").customers == STRANGERS
    assert desk.book_of("").customers == STRANGERS
