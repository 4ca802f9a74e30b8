"""The Zendesk provider keeps the contract against the demo Zendesk, over real HTTP."""

import secrets
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from crm_integrations.providers.base import PersonClues
from crm_integrations.providers.errors import CRMUnavailable, GrantEnded, RecordClosed, RetryLater
from crm_integrations.providers.limits import LimitScope
from crm_integrations.providers.zendesk.provider import ZendeskProvider
from demo.zendesk.app import create_app
from demo.zendesk.server import build_server
from tests.crm_integrations.providers.contract import PHONE, REDIRECT_URI, LiveAccount, NotingGate, ProviderContract


@pytest.fixture(scope="module")
def demo_url():
    server = build_server(create_app(None), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def give_consent(provider: ZendeskProvider, address: str) -> tuple[str, str]:
    """Press Allow on the demo's consent page, as a person would; returns code and verifier."""
    url, verifier = provider.begin_consent(address, state="st4te", redirect_uri=REDIRECT_URI)
    browser = requests.Session()
    assert browser.get(url, timeout=10).status_code == 200
    parts = urlsplit(url)
    form = {name: values[0] for name, values in parse_qs(parts.query).items()} | {"decision": "allow"}
    answer = browser.post(url, data=form, allow_redirects=False, timeout=10)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["state"] == ["st4te"]
    return query["code"][0], verifier


def find_ticket(demo_url: str, address: str, statuses: set[str]) -> str:
    """The id of some ticket in one of these states."""
    tickets = requests.get(f"{demo_url}/_control/{address}/records/tickets", timeout=10).json()["tickets"]
    return next(str(ticket["id"]) for ticket in tickets if ticket["status"] in statuses)


def find_agent(demo_url: str, address: str) -> str:
    """The address of some agent."""
    users = requests.get(f"{demo_url}/_control/{address}/records/users", timeout=10).json()["users"]
    return next(user["email"] for user in users if user["role"] == "agent" and user["active"])


def change_record(demo_url: str, address: str, path: str, change: dict) -> None:
    """Change a record behind everybody's back."""
    answer = requests.patch(f"{demo_url}/_control/{address}/records/{path}", json=change, timeout=10)
    assert answer.status_code == 200, answer.text


def change_settings(demo_url: str, address: str, settings: dict) -> None:
    """Turn switches of the account."""
    answer = requests.post(f"{demo_url}/_control/{address}/settings", json=settings, timeout=10)
    assert answer.status_code == 200, answer.text


def add_fault(demo_url: str, address: str, fault: dict) -> None:
    """Make the next writes of the account go wrong."""
    answer = requests.post(
        f"{demo_url}/_control/{address}/faults", json={"method": "PUT", "count": 1} | fault, timeout=10
    )
    assert answer.status_code == 201, answer.text


def change_user(demo_url: str, address: str, change: dict) -> None:
    """Suspend, delete or demote the system user."""
    answer = requests.post(f"{demo_url}/_control/{address}/users/acting", json=change, timeout=10)
    assert answer.status_code == 200, answer.text


def advance_clock(demo_url: str, address: str, *, seconds: float) -> None:
    """Move the account's time on."""
    answer = requests.post(f"{demo_url}/_control/{address}/clock", json={"advance_s": seconds}, timeout=10)
    assert answer.status_code == 200, answer.text


class TestZendeskProvider(ProviderContract):
    @pytest.fixture
    def account(self, settings, demo_url):
        settings.ZENDESK_BASE_URL = demo_url + "/{subdomain}"
        provider = ZendeskProvider()
        address = f"contract-{secrets.token_hex(4)}"  # each test has its own account, with fresh limits
        code, verifier = give_consent(provider, address)
        ticket = find_ticket(demo_url, address, {"open"})
        return LiveAccount(
            provider,
            address,
            code,
            verifier,
            ticket,
            "subject",
            demote=lambda: change_user(demo_url, address, {"action": "demote"}),
            let_time_pass=lambda: advance_clock(demo_url, address, seconds=30),
            agent=find_agent(demo_url, address),
            set_status=lambda key, status: change_record(demo_url, address, f"tickets/{key}", {"status": status}),
            make_search_late=lambda: change_settings(demo_url, address, {"search_lag_s": 120}),
            forbid_screens=lambda: change_settings(demo_url, address, {"talk_partner": "404"}),
            body_of=lambda entity_type, attributes: {entity_type: attributes},
        )

    def test_a_closed_ticket_is_told_apart(self, account, connection, demo_url):
        closed = find_ticket(demo_url, account.address, {"closed"})
        with pytest.raises(RecordClosed):
            connection.update_record("ticket", closed, {"subject": "x"}, delivery_id="d1")

    def test_a_note_of_which_zendesk_leaves_no_text_is_not_found_by_what_was_written_beside_it(
        self, account, connection
    ):
        values = {account.text_field: "Zoé called", "comment": "<br>"}
        answer = connection.update_record("ticket", account.ticket_id, values, delivery_id="d9")
        assert answer.is_comment_posted is False
        assert connection.find_comment("ticket", account.ticket_id, delivery_id="d9").is_posted is False

    def test_a_limit_says_how_long_to_wait(self, account, connection, demo_url):
        add_fault(demo_url, account.address, {"kind": "status", "status": 429, "retry_after": 7})
        with pytest.raises(RetryLater) as raised:
            connection.update_record("ticket", account.ticket_id, {"subject": "x"}, delivery_id="d1")
        assert raised.value.retry_after_s == 7

    def test_the_gate_hears_which_limit_refused_and_for_how_long(self, account, grant, demo_url):
        gate = NotingGate()
        connection = account.connect(grant.access_token, gate)
        add_fault(demo_url, account.address, {"kind": "status", "status": 429, "retry_after": 7})
        add_fault(demo_url, account.address, {"kind": "status", "status": 503})
        for _call in range(2):
            with pytest.raises((RetryLater, CRMUnavailable)):
                connection.update_record("ticket", account.ticket_id, {"subject": "x"}, delivery_id="d1")
        limited, failed = gate.left
        assert limited["refused"] and limited["retry_after_s"] == 7 and not limited["has_failed"]
        assert failed["has_failed"] and not failed["refused"]

    def test_the_gate_hears_of_the_accounts_and_the_records_limits(self, account, grant):
        gate = NotingGate()
        account.connect(grant.access_token, gate).update_record(
            "ticket", account.ticket_id, {"subject": "x"}, delivery_id="d1"
        )
        said = {report.limit_class: (report.remaining, report.scope) for report in gate.left[0]["reports"]}
        assert said["tickets-update"] == (99, LimitScope.ACCOUNT)
        assert said["per-ticket-updates"] == (29, LimitScope.RECORD)

    @pytest.mark.parametrize("role", ["light", "end-user"])
    def test_a_role_that_writes_nothing_is_a_demotion(self, account, connection, demo_url, role):
        change_user(demo_url, account.address, {"action": "demote", "role": role})
        with pytest.raises(GrantEnded):
            connection.confirm_writing("user")

    def test_a_role_that_writes_tickets_only_is_none(self, account, connection, demo_url):
        change_user(demo_url, account.address, {"action": "demote", "role": "limited"})
        connection.confirm_writing("user")
        connection.confirm_writing("ticket")

    def test_a_lost_answer_may_have_been_applied(self, account, connection, demo_url):
        add_fault(demo_url, account.address, {"kind": "drop_after"})
        with pytest.raises(CRMUnavailable) as raised:
            connection.update_record("ticket", account.ticket_id, {"subject": "Lost answer"}, delivery_id="d1")
        assert raised.value.may_have_applied
        read = connection.get_records("ticket", [account.ticket_id])
        assert read[account.ticket_id].values["subject"] == "Lost answer"

    def test_records_of_custom_objects_are_created_found_and_searched(self, account, connection):
        entity_type = next(each.key for each in connection.list_entity_types() if each.is_custom)
        body = {"custom_object_record": {"name": "Contract 4 door"}}
        request = account.provider.read_creation(entity_type, body)
        first, again = (connection.create_record(request, key="key-object").record.id for _time in range(2))
        assert first == again
        assert [found.id for found in connection.find_by_external_id(entity_type, "key-object")] == [first]
        for text in ('name:"Contract 4 door" created_at>=2020-01-01', "Contract name:Contract 4 door"):
            found = connection.find_records(entity_type, account.provider.read_filter(text))
            assert [record.id for record in found.records] == [first], text

    def test_organizations_are_created_once_and_found(self, account, connection):
        body = {"organization": {"name": "Contract Inc.", "external_id": "own-org"}}
        request = account.provider.read_creation("organization", body)
        first, again = (connection.create_record(request, key="key-org").record.id for _time in range(2))
        assert first == again
        criteria = account.provider.read_filter("name:Contract Inc.")
        assert [found.id for found in connection.find_records("organization", criteria).records] == [first]

    def test_deleted_and_merged_people_are_nobody_and_suspended_ones_are_found(
        self, account, connection, person, demo_url
    ):
        def act(change):
            path = f"{demo_url}/_control/{account.address}/users/{person.id}"
            assert requests.post(path, json=change, timeout=10).status_code == 200

        act({"action": "suspend"})
        assert [found.id for found in connection.find_people(PersonClues(phone=PHONE))] == [person.id]
        winner = connection.find_people(PersonClues(email=account.agent))[0]
        act({"action": "merge", "into": winner.id})
        assert connection.get_records("user", [person.id]) == {}
        assert [found.id for found in connection.find_people(PersonClues(phone=PHONE))] == [winner.id]

    def test_a_number_written_in_any_way_is_found(self, account, connection, person, demo_url):
        change_record(demo_url, account.address, f"users/{person.id}", {"phone": "5145550177"})
        assert [found.id for found in connection.find_people(PersonClues(phone=PHONE))] == [person.id]

    def test_the_first_note_is_internal(self, account, connection, person, demo_url):
        made = self.make_case(account, connection, person).record
        shown = requests.get(f"{demo_url}/_control/{account.address}/records/tickets/{made.id}", timeout=10).json()
        assert [comment["public"] for comment in shown["comments"]] == [False]
