"""Tokens, users and limits that go wrong at the demo Zendesk: what waits, what is held, and that it comes back."""

from datetime import timedelta

import pytest

from crm_integrations.models import Authentication
from memorialization.models import Attempt, Delivery
from tests.engine import NOW, FakeClock, make_delivery, make_entry, push_all

pytestmark = pytest.mark.django_db

BATCH = 4


@pytest.fixture
def clock():
    return FakeClock(NOW + timedelta(hours=1))


@pytest.fixture
def deliveries(demo, configuration):
    return [
        make_delivery(
            configuration,
            make_entry("subject", f"Call {record_id}"),
            make_entry("comment", f"Note {record_id}", type="comment"),
            record_id=record_id,
            has_record=False,
        )
        for record_id in demo.record_ids("ticket")[:BATCH]
    ]


def outcomes(deliveries):
    rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    return set(rows.values_list("state", "reason"))


def check_delivered_once(demo, deliveries):
    assert outcomes(deliveries) == {("delivered", "")}
    for delivery in deliveries:
        shown = demo.ask(f"records/tickets/{delivery.record_id}")
        assert shown["ticket"]["subject"] == f"Call {delivery.record_id}"
        assert [comment["body"] for comment in shown["comments"]].count(f"Note {delivery.record_id}") == 1


def authorise_again(demo):
    pair = demo.ask("tokens", {"expires_in": 7200})
    Authentication.objects.update(
        state="active",
        token_version=50,
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
    )


def test_a_token_that_ends_in_the_middle_of_a_batch_is_renewed_once_and_costs_no_try(
    demo, configuration, deliveries, clock
):
    demo.ask("tokens/expire", {})
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)
    assert Authentication.objects.get().token_version == 1
    assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {1}


@pytest.mark.parametrize("mode", ["500", "503", "429", "403", "404", "422", "invalid_client"])
def test_a_renewal_that_is_refused_for_the_moment_fails_and_holds_nothing(demo, configuration, deliveries, clock, mode):
    demo.ask("tokens/expire", {})
    demo.ask("refresh", {"mode": mode})
    for _ in range(3):
        push_all(configuration, clock)
        clock.move(minutes=1)
    assert {state for state, _reason in outcomes(deliveries)} == {"waiting"}
    assert Authentication.objects.get().state == "active"
    demo.ask("refresh", {"mode": "ok"})
    clock.move(hours=1)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)
    assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {1}


@pytest.mark.parametrize(
    ("path", "switch", "undo", "state"),
    [
        ("tokens/revoke", {}, None, "reauthenticate"),
        ("refresh", {"mode": "invalid_grant"}, {"mode": "ok"}, "reauthenticate"),
    ],
)
def test_a_grant_that_is_over_holds_everything_until_somebody_authorises_again(
    demo, configuration, deliveries, clock, path, switch, undo, state
):
    demo.ask("tokens/expire", {})
    demo.ask(path, switch)
    push_all(configuration, clock)
    assert {found for found, _reason in outcomes(deliveries)} == {"waiting"}
    assert Authentication.objects.get().state == state
    if undo:
        demo.ask(path, undo)
    authorise_again(demo)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)


@pytest.mark.parametrize("answer", ["401", "403", "anonymous"])
@pytest.mark.parametrize(("action", "undo"), [("suspend", "unsuspend"), ("delete", "restore")])
def test_a_system_user_who_is_gone_holds_everything_however_zendesk_says_so(
    demo, configuration, deliveries, clock, answer, action, undo
):
    demo.ask("settings", {"inactive_user_answer": answer})
    demo.ask("users/acting", {"action": action})
    push_all(configuration, clock)
    assert {state for state, _reason in outcomes(deliveries)} == {"waiting"}, outcomes(deliveries)
    assert Authentication.objects.get().state != "active"
    demo.ask("users/acting", {"action": undo})
    authorise_again(demo)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)


@pytest.mark.parametrize("role", ["end-user", "light"])
def test_a_system_user_who_may_no_longer_edit_holds_everything_and_fails_nothing(
    demo, configuration, deliveries, clock, role
):
    demo.ask("users/acting", {"action": "demote", "role": role})
    push_all(configuration, clock)
    assert {state for state, _reason in outcomes(deliveries)} == {"waiting"}, outcomes(deliveries)
    assert Authentication.objects.get().state == "reauthenticate"
    demo.ask("users/acting", {"action": "promote"})
    authorise_again(demo)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)


@pytest.mark.parametrize("shape", ["json", "text", "errors", "empty"])
@pytest.mark.parametrize("retry_after", [None, 33])
def test_a_429_of_any_shape_is_waited_for_in_full_and_costs_no_try(
    demo, configuration, deliveries, clock, shape, retry_after
):
    fault = {"kind": "status", "status": 429, "shape": shape, "retry_after": retry_after, "count": 1}
    demo.ask("faults", fault)
    push_all(configuration, clock)
    refused = Delivery.objects.get(reason="limit_reached")
    assert refused.next_attempt_at == clock.now + timedelta(seconds=retry_after or 10)
    assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {0}
    clock.move(seconds=retry_after or 10)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)


@pytest.mark.parametrize("is_applied", [False, True])
@pytest.mark.parametrize(
    "fault", [{"status": 503, "retry_after": 5}, {"status": 503}, {"status": 502}, {"status": 500}]
)
def test_a_5xx_before_or_after_the_write_doubles_nothing(demo, configuration, deliveries, clock, fault, is_applied):
    demo.ask("faults", {"kind": "status", "method": "PUT", "applied": is_applied, "count": 2} | fault)
    push_all(configuration, clock)
    demo.ask("faults", {"kind": "status", "method": "GET", "status": 503, "count": 2})  # while it is looked at
    for _ in range(4):
        clock.move(hours=1)
        push_all(configuration, clock)
    check_delivered_once(demo, deliveries)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_an_answer_that_never_comes_doubles_nothing(demo, configuration, deliveries, clock, kind):
    demo.ask("faults", {"kind": kind, "method": "PUT", "count": 3})
    push_all(configuration, clock)
    demo.ask("faults", {"kind": "drop_before", "method": "GET", "count": 2})
    for _ in range(4):
        clock.move(hours=1)
        push_all(configuration, clock)
    check_delivered_once(demo, deliveries)
    assert Attempt.objects.filter(outcome="unknown").count() == 3


def test_an_account_that_is_not_there_for_a_while_fails_nothing(demo, configuration, deliveries, clock, settings):
    settings.ZENDESK_BASE_URL = demo.url + "/missing-{subdomain}"
    push_all(configuration, clock)
    assert outcomes(deliveries) == {("waiting", "crm_unavailable")}
    settings.ZENDESK_BASE_URL = demo.url + "/{subdomain}"
    clock.move(hours=1)
    push_all(configuration, clock)
    check_delivered_once(demo, deliveries)
