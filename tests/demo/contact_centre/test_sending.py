import base64
from datetime import UTC, datetime

import pytest

from crm_integrations.services.webhook_signatures import is_signature_valid
from demo.contact_centre.sending import authorize, judge, new_session, post
from demo.contact_centre.targets import read_target

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def send(url, key="ai_k", path="events"):
    target = read_target(name="", events_url=url, intake_key=key)
    with new_session() as session:
        return post(session, target=target, path=path, body={"eventId": "é"}, message_id="m1", now=NOW)


def test_a_bearer_key_travels_and_a_signing_secret_signs():
    assert authorize("ai_k", "m1", b"{}", NOW) == {"Authorization": "Bearer ai_k"}
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()
    headers = authorize(secret, "m1", b"{}", NOW)
    assert is_signature_valid(secret=secret, headers=headers, body=b"{}", now=NOW)
    assert not is_signature_valid(secret=secret, headers=headers, body=b"{ }", now=NOW)
    assert secret not in str(headers)


def test_the_product_gets_utf_8_and_its_answer_is_read(product):
    answer = send(product.url)
    assert (answer.status, answer.is_final, answer.is_taken) == (202, True, True)
    assert answer.said["accepted"] == ["é"]
    assert product.calls[0]["headers"]["Authorization"] == "Bearer ai_k"


def test_a_netrc_does_not_replace_the_key(product, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    send(product.url)
    assert product.calls[0]["headers"]["Authorization"] == "Bearer ai_k"


def test_no_answer_is_not_final():
    answer = send("http://127.0.0.1:9/x/events")
    assert (answer.status, answer.is_final) == (0, False)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_that_passes_is_not_final(status):
    assert not judge(status, {}, b"", NOW).is_final


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 413, 422])
def test_what_will_not_change_is_final_and_not_taken(status):
    answer = judge(status, {}, b'{"title": "No", "detail": "Because."}', NOW)
    assert answer.is_final and not answer.is_taken
    assert answer.said["problem"] == "Because."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("Sun, 22 Nov 2026 12:00:30 GMT", 30), ("soon", 0), ("", 0), ("9" * 30, 3600), ("²", 0)],
)
def test_retry_after_is_read_in_both_forms(text, seconds):
    assert judge(503, {"Retry-After": text}, b"", NOW).retry_after_s == seconds


def test_an_answer_that_is_no_json_says_nothing():
    assert judge(202, {}, b"<html>", NOW).said == {}
