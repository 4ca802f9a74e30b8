"""What goes over the wire, and what is made of a wire that fails."""

import gzip
import json
import threading

import pytest
import requests

from zendesk_client import errors
from zendesk_client.connection import MarketplaceHeaders, Timeouts, build_base_url, build_session
from zendesk_client.limits import LimitReport
from zendesk_client.subdomain import InvalidSubdomain
from zendesk_client.transport import Transport

from .conftest import BASE

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
QUICK = Timeouts(connect_s=2, read_s=0.2, total_s=2)


def build_transport(server, **more):
    settings = {"access_token": "secret-token", "timeouts": QUICK, **more}
    return Transport("acme", base_url_template=server.template, **settings)


def test_every_call_carries_the_token_and_asks_for_json(server):
    server.answer(OK)
    answer = build_transport(server).send("GET", "/api/v2/x", params={"page[size]": "100"})
    request = server.requests[0].decode()
    assert answer.read_json() == {"ok": True}
    assert request.startswith("GET /acme/api/v2/x?page%5Bsize%5D=100 HTTP/1.1\r\n")
    assert "Authorization: Bearer secret-token\r\n" in request
    assert "Accept: application/json\r\n" in request
    assert "User-Agent: AgentIntegrations/" in request
    assert "Content-Type" not in request


def test_no_marketplace_header_is_sent_when_none_is_given(zendesk):
    zendesk.get(f"{BASE}/x", json={})
    Transport("acme", "t").send("GET", "/x")
    assert not [name for name in zendesk.calls[0].request.headers if "Marketplace" in name]


def test_marketplace_headers_are_sent_exactly_as_far_as_they_are_given(zendesk):
    zendesk.get(f"{BASE}/x", json={})
    marketplace = MarketplaceHeaders(app_id="12", organization_id=" ", name="Acme’s\nCTI")
    Transport("acme", "t", marketplace=marketplace).send("GET", "/x")
    headers = zendesk.calls[0].request.headers
    assert headers["X-Zendesk-Marketplace-App-Id"] == b"12"
    assert headers["X-Zendesk-Marketplace-Name"] == "Acme’s CTI".encode()
    assert "X-Zendesk-Marketplace-Organization-Id" not in headers


def test_a_json_body_is_the_same_bytes_whatever_the_order_of_its_keys(zendesk):
    zendesk.post(f"{BASE}/x", json={})
    zendesk.post(f"{BASE}/x", json={})
    transport = Transport("acme", "t")
    transport.send("POST", "/x", json_body={"b": "é", "a": [1]})
    transport.send("POST", "/x", json_body={"a": [1], "b": "é"})
    assert zendesk.calls[0].request.body == zendesk.calls[1].request.body == b'{"a":[1],"b":"\\u00e9"}'
    assert zendesk.calls[0].request.headers["Content-Type"] == "application/json"


def test_connections_are_kept_alive(server):
    server.answer(OK)
    server.answer(OK)
    transport = build_transport(server)
    transport.send("GET", "/1")
    transport.send("GET", "/2")
    assert (len(server.requests), server.connections) == (2, 1)


def test_the_environment_has_no_say_in_where_requests_go(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    for name, value in {
        "NETRC": str(netrc),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    server.answer(OK)
    build_transport(server, access_token=None).send("GET", "/x")
    assert b"Authorization" not in server.requests[0]


def test_cookies_of_one_account_are_never_given_to_the_next(zendesk):
    zendesk.get(f"{BASE}/x", json={}, headers={"Set-Cookie": "_zendesk_session=1; Path=/"})
    zendesk.get(f"{BASE}/x", json={})
    transport = Transport("acme", "t")
    transport.send("GET", "/x")
    transport.send("GET", "/x")
    assert "Cookie" not in zendesk.calls[1].request.headers


def test_certificates_are_verified_and_a_bundle_can_be_named(zendesk):
    zendesk.get(f"{BASE}/x", json={})
    zendesk.get(f"{BASE}/x", json={})
    Transport("acme", "t").send("GET", "/x")
    Transport("acme", "t", verify="/some/ca.pem").send("GET", "/x")
    assert [call.request.req_kwargs["verify"] for call in zendesk.calls] == [True, "/some/ca.pem"]
    assert zendesk.calls[0].request.req_kwargs["timeout"] == (5.0, 30.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(zendesk, status):
    zendesk.put(f"{BASE}/x", status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(errors.InvalidAnswer) as caught:
        Transport("acme", "t").send("PUT", "/x", json_body={})
    assert caught.value.status == status
    assert caught.value.maybe_applied is True
    assert len(zendesk.calls) == 1


@pytest.mark.parametrize("body", ["", "<html></html>", "[]", '"x"', "{", "[" * 100_000])
def test_a_good_status_without_a_json_object_is_an_invalid_answer(zendesk, body):
    zendesk.put(f"{BASE}/x", body=body)
    zendesk.get(f"{BASE}/x", body=body)
    transport = Transport("acme", "t")
    with pytest.raises(errors.InvalidAnswer) as write:
        transport.send("PUT", "/x", json_body={}).read_json()
    with pytest.raises(errors.InvalidAnswer) as read:
        transport.send("GET", "/x").read_json()
    assert (write.value.maybe_applied, read.value.maybe_applied) == (True, False)


def test_an_answer_beyond_the_allowed_size_is_dropped(zendesk):
    zendesk.get(f"{BASE}/x", body=b" " * 2000)
    with pytest.raises(errors.InvalidAnswer) as caught:
        Transport("acme", "t", max_answer_bytes=1000).send("GET", "/x")
    assert caught.value.code == "TooLarge"


def test_the_size_counts_unpacked(server):
    packed = gzip.compress(b" " * 5_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    server.answer(head + packed)
    with pytest.raises(errors.InvalidAnswer):
        build_transport(server, max_answer_bytes=1_000_000).send("GET", "/x")


def test_errors_of_zendesk_are_raised_once_and_never_retried(zendesk):
    zendesk.put(f"{BASE}/x", status=503, headers={"Retry-After": "7"})
    with pytest.raises(errors.Unavailable) as caught:
        Transport("acme", "t").send("PUT", "/x", json_body={})
    assert caught.value.retry_after_s == 7
    assert len(zendesk.calls) == 1


def test_limits_are_reported_for_good_answers_and_bad_ones(zendesk):
    heard = []
    zendesk.get(f"{BASE}/x", json={}, headers={"x-rate-limit": "400", "x-rate-limit-remaining": "12"})
    zendesk.get(f"{BASE}/x", status=429, headers={"x-rate-limit": "400", "x-rate-limit-remaining": "0"})
    transport = Transport("acme", "t", on_limits=heard.append)
    transport.send("GET", "/x")
    with pytest.raises(errors.RateLimited):
        transport.send("GET", "/x")
    assert heard == [(LimitReport("account", 400, 12, None),), (LimitReport("account", 400, 0, None),)]
    assert transport.last_limits == heard[-1]


def test_a_listener_that_fails_does_not_lose_the_answer_of_a_write(zendesk):
    def fail(reports):
        raise RuntimeError("no database")

    zendesk.put(f"{BASE}/x", json={"ok": True}, headers={"x-rate-limit": "400"})
    assert Transport("acme", "t", on_limits=fail).send("PUT", "/x", json_body={}).read_json() == {"ok": True}


def test_each_call_is_asked_for_before_and_told_of_after(zendesk):
    heard = []
    zendesk.get(f"{BASE}/x", json={}, headers={"x-rate-limit": "400"})
    zendesk.get(f"{BASE}/x", status=429, headers={"x-rate-limit": "400"})
    zendesk.get(f"{BASE}/x", body=requests.ConnectionError())
    transport = Transport("acme", "t", before_call=lambda *line: heard.append(line), after_call=heard.append)
    transport.send("GET", "/x", params={"a": "b"})
    for error in (errors.RateLimited, errors.ConnectionFailed):
        with pytest.raises(error):
            transport.send("GET", "/x")
    limits = (LimitReport("account", 400, None, None),)
    assert heard[0:5:2] == [("GET", "/x")] * 3
    ends = heard[1:6:2]
    assert [(end.method, end.path, type(end.error), end.limits) for end in ends] == [
        ("GET", "/x", type(None), limits),
        ("GET", "/x", errors.RateLimited, limits),
        ("GET", "/x", errors.ConnectionFailed, ()),
    ]


def test_a_call_that_is_not_allowed_never_leaves_and_is_not_told_of(zendesk):
    def refuse(method, path):
        raise RuntimeError("not now")

    heard = []
    with pytest.raises(RuntimeError):
        Transport("acme", "t", before_call=refuse, after_call=heard.append).send("GET", "/x")
    assert (len(zendesk.calls), heard) == (0, [])


def test_a_body_that_cannot_be_written_is_no_call():
    heard = []
    with pytest.raises(ValueError):
        Transport("acme", "t", before_call=lambda *line: heard.append(line)).send(
            "PUT", "/x", json_body={"a": float("nan")}
        )
    assert heard == []


def test_an_end_that_nobody_can_take_does_not_lose_the_answer_of_a_write(zendesk):
    def fail(call):
        raise RuntimeError("no database")

    zendesk.put(f"{BASE}/x", json={"ok": True})
    assert Transport("acme", "t", after_call=fail).send("PUT", "/x", json_body={}).read_json() == {"ok": True}


def test_a_call_that_is_broken_off_is_told_of_as_one_without_an_answer(zendesk, monkeypatch):
    heard = []
    transport = Transport("acme", "t", after_call=heard.append)
    monkeypatch.setattr(transport.session, "request", lambda *_args, **_keys: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        transport.send("PUT", "/x", json_body={})
    assert isinstance(heard[0].error, errors.NoAnswer) and heard[0].error.maybe_applied


# A wire that fails


@pytest.mark.parametrize(("method", "maybe_applied"), [("PUT", True), ("POST", True), ("GET", False)])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["hang"], errors.TimedOut),
        ([OK[:20], "hang"], errors.TimedOut),
        ([OK[:-5], "hang"], errors.TimedOut),
        (["close"], errors.ConnectionFailed),
        (["reset"], errors.ConnectionFailed),
        ([OK[:20], "reset"], errors.ConnectionFailed),
        ([OK[:-5], "close"], errors.ConnectionFailed),
        ([b"nonsense\r\n\r\n", "close"], errors.ConnectionFailed),
    ],
    ids=["silence", "half a head", "half a body", "closed", "reset", "reset in head", "truncated", "not HTTP"],
)
def test_after_the_request_left_a_write_may_have_been_applied(server, method, maybe_applied, steps, expected):
    server.answer(*steps)
    with pytest.raises(errors.NoAnswer) as caught:
        build_transport(server).send(method, "/x", json_body={} if method != "GET" else None)
    assert type(caught.value) is expected
    assert caught.value.maybe_applied is maybe_applied
    assert caught.value.status is None
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_without_a_length_is_an_open_outcome(server):
    server.answer(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"ticket":', "close")
    with pytest.raises(errors.InvalidAnswer) as caught:
        build_transport(server).send("PUT", "/x", json_body={}).read_json()
    assert caught.value.maybe_applied is True


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nX-Slow: ", b'HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n{"a":'],
    ids=["in a header", "in the body"],
)
def test_a_server_that_drips_cannot_hold_a_call_beyond_its_total_time(server, head):
    server.answer(head, "drip")
    transport = build_transport(server, timeouts=Timeouts(connect_s=2, read_s=10, total_s=0.3))
    watchdog = threading.Timer(10, server.release.set)  # a bound for a failing test, not a measurement
    watchdog.start()
    with pytest.raises(errors.TimedOut) as caught:
        transport.send("PUT", "/x", json_body={})
    watchdog.cancel()
    assert not server.release.is_set()
    assert caught.value.maybe_applied is True


def test_nothing_leaves_once_the_total_time_is_over(server):
    server.answer(OK)
    with pytest.raises(errors.TimedOut) as caught:
        build_transport(server, timeouts=Timeouts(total_s=0)).send("PUT", "/x", json_body={})
    assert caught.value.maybe_applied is False
    assert server.requests == []


def test_nothing_leaves_on_a_kept_connection_once_the_total_time_is_over(server):
    server.answer(OK)
    server.answer(OK)
    transport = build_transport(server)
    transport.send("GET", "/x")
    transport.timeouts = Timeouts(total_s=0)
    with pytest.raises(errors.TimedOut) as caught:
        transport.send("PUT", "/x", json_body={})
    assert caught.value.maybe_applied is False
    assert len(server.requests) == 1


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_read_is_asked_once_more_when_its_kept_connection_ended(server, end):
    transport = build_transport(server)
    for steps in ([OK], [end], [OK]):
        server.answer(*steps)
    transport.send("GET", "/x")
    transport.send("GET", "/y")
    assert server.connections == 2
    assert [request.split()[1] for request in server.requests] == [b"/acme/x", b"/acme/y", b"/acme/y"]


def test_a_read_is_asked_no_third_time(server):
    transport = build_transport(server)
    for steps in ([OK], ["close"], ["close"], [OK]):
        server.answer(*steps)
    transport.send("GET", "/x")
    with pytest.raises(errors.ConnectionFailed):
        transport.send("GET", "/y")
    assert len(server.requests) == 3


def test_a_write_is_never_sent_twice_whatever_became_of_its_connection(server):
    transport = build_transport(server)
    for steps in ([OK], ["close"], [OK]):
        server.answer(*steps)
    transport.send("GET", "/x")
    with pytest.raises(errors.ConnectionFailed) as caught:
        transport.send("PUT", "/y", json_body={})
    assert caught.value.maybe_applied is True
    assert len(server.requests) == 2


def test_a_refused_connection_changed_nothing(server):
    server.close()
    with pytest.raises(errors.ConnectionFailed) as caught:
        build_transport(server).send("PUT", "/x", json_body={})
    assert caught.value.maybe_applied is False


def test_a_failed_tls_handshake_changed_nothing(server):
    server.greeting = b"this is no TLS"
    template = server.template.replace("http:", "https:")
    with pytest.raises(errors.ConnectionFailed) as caught:
        Transport("acme", "t", base_url_template=template, timeouts=QUICK).send("PUT", "/x", json_body={})
    assert caught.value.maybe_applied is False


@pytest.mark.parametrize(
    ("raised", "expected", "maybe_applied"),
    [
        (requests.ConnectTimeout(), errors.TimedOut, False),
        (requests.ReadTimeout(), errors.TimedOut, True),
        (requests.ConnectionError(), errors.ConnectionFailed, True),
        (requests.exceptions.ChunkedEncodingError(), errors.ConnectionFailed, True),
        (requests.exceptions.SSLError(), errors.ConnectionFailed, True),
    ],
)
def test_where_nobody_saw_the_request_leave_the_careful_answer_is_given(zendesk, raised, expected, maybe_applied):
    zendesk.put(f"{BASE}/x", body=raised)
    with pytest.raises(expected) as caught:
        Transport("acme", "t").send("PUT", "/x", json_body={})
    assert caught.value.maybe_applied is maybe_applied


def test_failures_quote_neither_address_nor_token(server):
    server.answer("close")
    with pytest.raises(errors.ConnectionFailed) as caught:
        build_transport(server).send("GET", "/x", params={"query": "email:someone@example.com"})
    assert "someone" not in str(caught.value)
    assert "secret-token" not in str(caught.value)
    assert caught.value.__suppress_context__ is True


def test_the_token_is_not_in_the_representation():
    assert "secret-token" not in repr(Transport("acme", "secret-token"))


def test_a_session_can_be_shared_by_several_clients(server):
    server.answer(OK)
    server.answer(OK)
    session = build_session()
    for token in ("a", "b"):
        build_transport(server, session=session, access_token=token).send("GET", "/x")
    assert server.connections == 1
    assert b"Bearer a" in server.requests[0]
    assert b"Bearer b" in server.requests[1]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("https://{subdomain}.zendesk.com", "https://acme.zendesk.com"),
        ("http://127.0.0.1:8900/{subdomain}", "http://127.0.0.1:8900/acme"),
        ("http://localhost:8900/{subdomain}/", "http://localhost:8900/acme"),
    ],
)
def test_the_base_address_is_built_from_the_template(template, expected):
    assert build_base_url(template, "acme") == expected


@pytest.mark.parametrize(
    "template", ["https://acme.zendesk.com", "ftp://{subdomain}", "{subdomain}", "https:///{subdomain}"]
)
def test_a_template_that_names_no_accounts_is_refused(template):
    with pytest.raises(ValueError, match="base address"):
        build_base_url(template, "acme")


def test_a_subdomain_cannot_smuggle_another_host_into_the_address():
    with pytest.raises(InvalidSubdomain):
        Transport("evil.example/", "t")


def test_numbers_json_cannot_say_are_refused_before_the_call():
    with pytest.raises(ValueError, match="JSON"):
        Transport("acme", "t").send("PUT", "/x", json_body={"a": json.loads("NaN")})
