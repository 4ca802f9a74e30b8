"""Which of Zendesk's limits a request spends, and what the gate is told of its end."""

import pytest

from crm_integrations.providers.limits import LimitScope
from crm_integrations.providers.zendesk.limits import BULK, LIMITS, WRITES, leave_gate, request_classes, write_classes
from demo.zendesk.limits import BUCKETS
from tests.crm_integrations.providers.contract import NotingGate
from zendesk_client import FinishedCall, LimitReport, NoAnswer, RateLimited, RecordNotFound, Unavailable


@pytest.mark.parametrize(
    ("method", "path", "classes"),
    [
        ("GET", "/api/v2/users/me", ("account",)),
        ("GET", "/api/v2/tickets/show_many", ("account",)),
        ("GET", "/api/v2/tickets/7/audits", ("account",)),
        ("PUT", "/api/v2/tickets/7", WRITES["ticket"]),
        ("PUT", "/api/v2/tickets/7/tags", WRITES["ticket"]),
        ("PUT", "/api/v2/users/7", WRITES["user"]),
        ("PUT", "/api/v2/users/7/tags", ("account",)),
        ("PUT", "/api/v2/organizations/7", WRITES["organization"]),
        ("PATCH", "/api/v2/custom_objects/car/records/01G", ("account", "custom-objects")),
        ("GET", "/api/v2/custom_objects", ("account", "custom-objects")),
        ("PUT", "/api/v2/tickets/update_many", BULK),
        ("PUT", "/api/v2/users/update_many", BULK),
        ("POST", "/api/v2/custom_objects/car/jobs", BULK),
        ("GET", "/api/v2/job_statuses/show_many", ("account",)),
        ("GET", "/api/v2/ticket_fields", ("account", "ticket-fields-index")),
        ("GET", "/api/v2/users/search", ("account", "search-index")),
        ("POST", "/api/v2/users", ("account", "users-update")),
        ("POST", "/api/v2/tickets", ("account", "tickets-create")),
    ],
)
def test_a_request_spends_the_limits_of_its_address(method, path, classes):
    assert request_classes(method, path) == classes


@pytest.mark.parametrize(
    ("entity_type", "is_bulk", "classes"),
    [
        ("ticket", False, WRITES["ticket"]),
        ("custom_object:car", False, ("account", "custom-objects")),
        ("ticket", True, BULK),
        ("custom_object:car", True, BULK),
    ],
)
def test_a_write_spends_the_limits_of_its_request(entity_type, is_bulk, classes):
    assert write_classes(entity_type, is_bulk=is_bulk) == classes


def test_the_documented_limits_are_those_of_the_demo():
    scopes = {"account": LimitScope.ACCOUNT, "jobs": LimitScope.IN_FLIGHT}
    seeds = {each.limit_class: (each.calls, each.window_s, each.scope) for each in LIMITS if each.calls is not None}
    demo = {
        name: (bucket.total, bucket.window_s, scopes.get(bucket.per, LimitScope.RECORD))
        for name, bucket in BUCKETS.items()
    }
    assert seeds == demo


@pytest.mark.parametrize(
    ("error", "refused", "has_failed"),
    [
        (None, "", False),
        (RecordNotFound("gone", status=404), "", False),
        (Unavailable("down", status=503, retry_after_s=9), "", True),
        (NoAnswer("reset"), "", True),
        (RateLimited("slow down", status=429, retry_after_s=9), "account", False),
    ],
)
def test_only_a_refusal_of_a_limit_asks_for_a_wait_and_only_infrastructure_fails(error, refused, has_failed):
    gate = NotingGate()
    leave_gate(gate, FinishedCall("GET", "/api/v2/users/me", error, (LimitReport("tickets-update", 100, 9, 5),)))
    (told,) = gate.left
    assert (told["refused"], told["has_failed"]) == (refused, has_failed)
    assert (told["retry_after_s"], told["words"]) == ((9, "slow down") if refused else (None, ""))
    assert told["reports"][0].remaining == 9


LEFT = LimitReport("account", 700, 650, 20)


@pytest.mark.parametrize(
    ("path", "reports", "refused"),
    [
        ("/api/v2/tickets/7", (), "account"),
        ("/api/v2/tickets/7", (LimitReport("account", 700, 0, 20),), "account"),
        ("/api/v2/tickets/7", (LEFT,), "tickets-update"),
        ("/api/v2/tickets/7", (LEFT, LimitReport("tickets-update", 100, 40, 20)), "per-ticket-updates"),
        ("/api/v2/organizations/7", (LEFT,), "organization-update"),
        ("/api/v2/tickets/update_many", (LEFT,), "inflight-jobs"),
        ("/api/v2/users/me", (LEFT,), "account"),
    ],
)
def test_a_refusal_that_names_no_limit_spares_an_account_that_has_calls_left(path, reports, refused):
    gate = NotingGate()
    leave_gate(gate, FinishedCall("PUT", path, RateLimited("slow down", status=429), reports))
    assert gate.left[0]["refused"] == refused


@pytest.mark.parametrize(
    ("method", "path", "blocked"),
    [
        ("PATCH", "/api/v2/custom_objects/device/records/01J", "custom-objects"),
        ("POST", "/api/v2/custom_objects/device/records/search", "custom-objects"),
        ("POST", "/api/v2/tickets", "tickets-create"),
        ("GET", "/api/v2/users/me", "account"),
        ("PUT", "/api/v2/tickets/7", "tickets-update"),
        ("GET", "/api/v2/users/search", "search-index"),
    ],
)
def test_a_limit_of_which_nobody_knows_who_spends_it_blocks_the_narrowest_that_is_known(method, path, blocked):
    gate = NotingGate()
    error = RateLimited("slow down", status=429, retry_after_s=55)
    error.limit_class = "something-new"
    leave_gate(gate, FinishedCall(method, path, error, (LEFT,)))
    assert gate.left[0]["refused"] == blocked
