"""Workflows on the demo Zendesk when answers are lost, two scripts come at once, or a limit is hit: one record."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection as database

from crm_integrations.models import CallBudget
from tests.end_to_end.script_desk import CONTACT, CREATIONS, names

pytestmark = pytest.mark.django_db

each_creation = pytest.mark.parametrize(("workflow", "body", "table"), CREATIONS.values(), ids=list(CREATIONS))


def end_windows():
    """Later: what the CRM asked for, and its windows, are over."""
    CallBudget.objects.all().delete()


@each_creation
@pytest.mark.parametrize("kind", ["drop_after", "truncate"])
def test_an_answer_that_is_lost_after_it_was_applied_doubles_nothing(demo, desk, workflow, body, table, kind):
    before = len(demo.rows(table))
    demo.ask("faults", {"kind": kind, "path": table if table != "custom_object_records" else "records", "count": 1})
    first = desk.run(workflow, {**body, "contactId": CONTACT})
    second = desk.run(workflow, {**body, "contactId": CONTACT})
    assert first["created"] and not second["created"] and names(first["records"]) == names(second["records"])
    assert len(demo.rows(table)) == before + 1


@each_creation
def test_a_lost_answer_that_cannot_be_looked_into_is_found_by_the_repetition(
    demo, desk, settings, workflow, body, table
):
    settings.SETTLE_S = 0
    before = len(demo.rows(table))
    demo.ask("faults", {"kind": "drop_after", "count": 1})
    demo.ask("faults", {"kind": "drop_before", "method": "GET", "count": 1})
    refused = desk.send(workflow, {**body, "contactId": CONTACT})
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    assert len(demo.rows(table)) == before + 1, "it was applied"
    answer = desk.run(workflow, {**body, "contactId": CONTACT})
    assert len(demo.rows(table)) == before + 1 and len(answer["records"]) == 1
    assert desk.card_names(CONTACT) == (names(answer["records"]), [])


@pytest.mark.django_db(transaction=True)
@each_creation
def test_two_scripts_at_once_create_one_record_for_the_contact(demo, desk, workflow, body, table):
    before, start = len(demo.rows(table)), Barrier(2)
    demo.ask("latency", {"ms": 100})

    def create(_script):
        try:
            start.wait()
            return desk.send(workflow, {**body, "contactId": CONTACT})
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(create, range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(answer.json()["created"] for answer in answers) == [False, True]
    (record,) = {name for answer in answers for name in names(answer.json()["records"])}
    assert len(demo.rows(table)) == before + 1 and desk.card_names(CONTACT) == ([record], [])


@pytest.mark.parametrize("shape", ["json", "text", "empty"])
def test_a_429_on_a_search_says_when_to_come_back_and_keeps_nothing(demo, desk, shape):
    demo.ask("faults", {"kind": "status", "status": 429, "retry_after": 33, "shape": shape, "count": 1})
    body = {"phoneNumber": "+15145551000", "contactId": CONTACT}
    refused = desk.send("search-ani", body)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "33")
    calls = demo.ask("log")["last"]
    again = desk.send("search-ani", body)
    assert again.status_code == 503 and 0 < int(again.headers["Retry-After"]) <= 33
    assert demo.ask("log")["last"] == calls, "Zendesk is left alone until then"
    end_windows()
    assert len(desk.run("search-ani", body)["records"]) == 1


@each_creation
def test_a_429_on_a_creation_says_when_to_come_back_and_doubles_nothing(demo, desk, workflow, body, table):
    before = len(demo.rows(table))
    demo.ask("faults", {"kind": "status", "status": 429, "retry_after": 33, "count": 1})
    refused = desk.send(workflow, {**body, "contactId": CONTACT})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "33")
    calls = demo.ask("log")["last"]
    again = desk.send(workflow, {**body, "contactId": CONTACT})
    assert again.status_code == 503 and 1 < int(again.headers["Retry-After"]) <= 33
    assert demo.ask("log")["last"] == calls, "Zendesk is left alone until then"
    assert len(demo.rows(table)) == before
    end_windows()
    first, second = (desk.run(workflow, {**body, "contactId": CONTACT}) for _repetition in range(2))
    assert first["created"] and not second["created"] and len(demo.rows(table)) == before + 1
