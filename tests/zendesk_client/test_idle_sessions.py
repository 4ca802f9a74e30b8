"""Connections that outlive a client: used again within half a minute, by one client at a time, never across a fork."""

import os

import pytest

from zendesk_client import IdleSessions, ZendeskClient
from zendesk_client.idle_sessions import IDLE_S, KEPT

ME = b'{"user":{"id":1,"name":"System","role":"admin","active":true,"suspended":false}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(ME), ME)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def idle(clock):
    return IdleSessions(clock)


@pytest.fixture
def ask(server, idle):
    def ask(token="token"):
        end = lambda session: idle.give("acme", session)  # noqa: E731
        template = server.template
        with ZendeskClient(
            "acme", token, base_url_template=template, session=idle.take("acme"), end_session=end
        ) as client:
            client.whoami()

    return ask


def test_the_next_client_calls_over_the_connection_of_the_last_one_with_its_own_token(server, ask):
    server.answer(OK)
    server.answer(OK)
    ask("first")
    ask("second")
    assert server.connections == 1
    assert [b"Bearer second" in request for request in server.requests] == [False, True]
    assert not any(b"Cookie" in request for request in server.requests)


def test_a_connection_that_was_idle_for_long_is_not_used_again(server, ask, clock):
    server.answer(OK)
    ask()
    clock.now += IDLE_S
    server.answer(OK)
    ask()
    assert server.connections == 2


def test_a_connection_that_the_server_has_closed_costs_a_new_one_and_no_error(server, ask):
    for steps in ([OK], ["close"], [OK]):
        server.answer(*steps)
    ask()
    ask()
    assert server.connections == 2


def test_two_clients_at_once_never_share_a_session(idle):
    session = idle.take("acme")
    idle.give("acme", session)
    first, second = idle.take("acme"), idle.take("acme")
    assert first is session and second is not session


def test_accounts_have_sessions_of_their_own(idle):
    session = idle.take("acme")
    idle.give("acme", session)
    assert idle.take("other") is not session


def test_a_client_that_is_closed_twice_gives_its_session_once_and_calls_no_more():
    given = []
    client = ZendeskClient("acme", "token", end_session=given.append)
    client.close()
    client.close()
    assert len(given) == 1
    with pytest.raises(AssertionError):
        client.whoami()


def test_only_so_many_are_kept_and_the_oldest_are_closed(idle, monkeypatch):
    closed = []
    sessions = [idle.take("acme") for _each in range(KEPT + 2)]
    for session in sessions:
        monkeypatch.setattr(session, "close", lambda session=session: closed.append(session))
        idle.give("acme", session)
    assert closed == sessions[:2] and idle.take("acme") is sessions[-1]


def test_those_that_nobody_took_for_long_are_closed_with_the_next_that_is_given(idle, clock, monkeypatch):
    closed = []
    first, second = idle.take("acme"), idle.take("acme")
    monkeypatch.setattr(first, "close", lambda: closed.append(first))
    idle.give("acme", first)
    clock.now += IDLE_S
    idle.give("acme", second)
    assert closed == [first]


def test_a_forked_process_does_not_use_the_connections_of_its_parent(idle, monkeypatch):
    session = idle.take("acme")
    idle.give("acme", session)
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert idle.take("acme") is not session
