"""What every provider must do, whatever CRM is behind it: subclass, and give `account` a live one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.providers.base import (
    CreationRefused,
    CRMConnection,
    CRMProvider,
    FieldType,
    FoundRecords,
    LimitReport,
    LimitScope,
    PersonClues,
    RightOutcome,
    SearchCriterion,
)
from crm_integrations.providers.errors import AccessDenied, GrantEnded, Reauthenticate, RecordGone, ValueRefused

REDIRECT_URI = "http://localhost:8000/oauth/callback/"
PHONE = read_phone_number("+1 514 555 0177", country="CA")


@dataclass(frozen=True)
class LiveAccount:
    """An account that consent was given for, with one ticket that can be written."""

    provider: CRMProvider
    address: str
    code: str
    verifier: str
    ticket_id: str
    text_field: str
    demote: Callable[[], object]  # the system user may no longer write
    let_time_pass: Callable[[], object]  # enough for a bulk write to be worked through
    agent: str  # the e-mail address of somebody with a screen
    set_status: Callable[[str, str], object]  # of a ticket, behind everybody's back
    make_search_late: Callable[[], object]
    forbid_screens: Callable[[], object]
    body_of: Callable[[str, dict], dict]  # a new record of a type, as a script describes one with these attributes

    def connect(self, access_token: str, gate: "NotingGate | None" = None) -> CRMConnection:
        return self.provider.connect(self.address, access_token=access_token, options={}, gate=gate)


class GateShut(Exception):
    """What a gate raises that lets nobody through."""


@dataclass
class NotingGate:
    """Lets everybody through until it is shut, and remembers them."""

    entered: list[tuple[str, ...]] = field(default_factory=list)
    left: list[dict] = field(default_factory=list)
    is_shut: bool = False

    def enter(self, limit_classes):
        if self.is_shut:
            raise GateShut
        self.entered.append(tuple(limit_classes))

    def leave(self, **told):
        assert all(isinstance(report, LimitReport) for report in told["reports"])
        self.left.append(told)


class ProviderContract:
    """The tests; `account` is a fixture of the subclass."""

    @pytest.fixture
    def grant(self, account):
        return account.provider.finish_consent(
            account.address, code=account.code, verifier=account.verifier, redirect_uri=REDIRECT_URI
        )

    @pytest.fixture
    def connection(self, account, grant):
        connection = account.connect(grant.access_token)
        yield connection
        connection.close()

    def test_consent_page_address_carries_the_state(self, account):
        url, verifier = account.provider.begin_consent(account.address, state="st4te", redirect_uri=REDIRECT_URI)
        assert "state=st4te" in url
        assert verifier
        assert verifier not in url

    def test_a_grant_has_both_tokens_and_hides_them(self, grant):
        assert grant.access_token
        assert grant.refresh_token
        assert grant.access_token not in repr(grant)

    def test_refreshing_kills_the_pair_before(self, account, grant):
        newer = account.provider.refresh(account.address, refresh_token=grant.refresh_token)
        assert newer.access_token != grant.access_token
        with pytest.raises(GrantEnded):
            account.provider.refresh(account.address, refresh_token=grant.refresh_token)

    def test_the_system_user_is_known(self, connection):
        user = connection.identify()
        assert user.id
        assert user.name

    def test_rights_are_a_list_with_known_labels(self, account, connection):
        rights = connection.check_rights(granted_scopes=["read"])
        assert rights
        assert {right.right for right in rights} <= set(account.provider.right_labels)
        assert all(isinstance(right.outcome, RightOutcome) for right in rights)

    def test_entity_types_begin_with_the_standard_ones(self, connection):
        keys = [entity_type.key for entity_type in connection.list_entity_types()]
        assert {"ticket", "user"} <= set(keys)
        assert len(keys) == len(set(keys))

    def test_fields_have_unique_keys_and_some_can_be_written(self, account, connection):
        fields = connection.list_fields("ticket")
        assert len({field.key for field in fields}) == len(fields)
        assert account.text_field in {field.key for field in fields if field.is_writable}
        assert not any(field.is_writable for field in fields if field.key in {"id", "created_at"})

    def test_only_records_that_exist_come_back(self, account, connection):
        records = connection.get_records("ticket", [account.ticket_id, "99999999"])
        assert list(records) == [account.ticket_id]

    def test_what_is_written_is_shown_and_read_back(self, account, connection):
        types = {account.text_field: FieldType.TEXT}
        values = {account.text_field: "Zoé called"}
        answer = connection.update_record("ticket", account.ticket_id, values, delivery_id="d1", types=types)
        assert answer.record is not None
        assert answer.record.values[account.text_field] == "Zoé called"
        read = connection.get_records("ticket", [account.ticket_id], types=types)[account.ticket_id]
        assert read.values[account.text_field] == "Zoé called"

    def test_the_ledger_copy_of_a_write_has_no_customer_text(self, account, connection):
        values = {account.text_field: "Zoé called"}
        answer = connection.update_record("ticket", account.ticket_id, values, delivery_id="d1")
        assert "Zoé" not in f"{answer.request}{answer.answer}"

    def test_tags_are_added_and_never_replaced(self, account, connection):
        for tag in ("first_call", "second_call"):
            connection.update_record("ticket", account.ticket_id, {"tags": [tag]}, delivery_id="d1")
        read = connection.get_records("ticket", [account.ticket_id], types={"tags": FieldType.TAGS})
        assert {"first_call", "second_call"} <= set(read[account.ticket_id].values["tags"])

    def test_a_comment_can_be_found_again_by_its_delivery(self, account, connection):
        assert connection.find_comment("ticket", account.ticket_id, delivery_id="d7").is_posted is False
        connection.update_record("ticket", account.ticket_id, {"comment": "A note"}, delivery_id="d7")
        assert connection.find_comment("ticket", account.ticket_id, delivery_id="d7").is_posted is True
        assert connection.find_comment("ticket", account.ticket_id, delivery_id="d8").is_posted is False

    def test_writing_what_does_not_exist_says_so(self, account, connection):
        with pytest.raises(RecordGone):
            connection.update_record("ticket", "99999999", {account.text_field: "x"}, delivery_id="d1")

    def test_limits_and_what_a_write_spends_agree(self, account):
        known = {limit.limit_class: limit for limit in account.provider.limits}
        for is_bulk in (False, True):
            for entity_type in ("ticket", "user", "custom_object:device"):
                classes = account.provider.write_classes(entity_type, is_bulk=is_bulk)
                assert classes[0] == "account" and set(classes) <= set(known)
        places = [known[name].scope for name in account.provider.write_classes("ticket", is_bulk=True)]
        assert LimitScope.IN_FLIGHT in places

    def test_every_call_passes_the_gate_and_is_told_of(self, account, grant):
        gate = NotingGate()
        connection = account.connect(grant.access_token, gate)
        connection.identify()
        connection.update_record("ticket", account.ticket_id, {account.text_field: "x"}, delivery_id="d1")
        with pytest.raises(RecordGone):
            connection.update_record("ticket", "99999999", {account.text_field: "x"}, delivery_id="d1")
        write = account.provider.write_classes("ticket", is_bulk=False)
        assert gate.entered == [("account",), write, write]
        assert [(told["refused"], told["has_failed"]) for told in gate.left] == [("", False)] * 3

    def test_a_shut_gate_lets_no_call_out(self, account, grant, connection):
        gate = NotingGate(is_shut=True)
        with pytest.raises(GateShut):
            account.connect(grant.access_token, gate).update_record(
                "ticket", account.ticket_id, {account.text_field: "never"}, delivery_id="d1"
            )
        assert gate.left == []
        read = connection.get_records("ticket", [account.ticket_id])[account.ticket_id]
        assert read.values.get(account.text_field) != "never"

    def test_comments_are_not_written_in_bulk_and_tickets_tags_are(self, connection):
        assert connection.bulk_limit("ticket", [FieldType.TEXT, FieldType.TAGS]) == 100
        assert connection.bulk_limit("user", [FieldType.TEXT]) == 100
        assert connection.bulk_limit("ticket", [FieldType.TEXT, FieldType.COMMENT]) == 0

    def test_a_bulk_write_tells_what_became_of_each_record(self, account, grant):
        gate = NotingGate()
        connection = account.connect(grant.access_token, gate)
        updates = {
            account.ticket_id: {account.text_field: "In bulk", "tags": ["bulk_call"]},
            "99999999": {account.text_field: "Nowhere"},
        }
        types = {account.text_field: FieldType.TEXT, "tags": FieldType.TAGS}
        begun = connection.update_records("ticket", updates, types=types)
        assert begun.handle
        assert gate.entered == [account.provider.write_classes("ticket", is_bulk=True)]
        account.let_time_pass()
        progress = connection.read_bulk([begun.handle, "never-issued"])
        assert list(progress) == [begun.handle]
        assert progress[begun.handle].is_finished
        outcomes = progress[begun.handle].outcomes
        assert {key: outcome.succeeded for key, outcome in outcomes.items()} == {
            account.ticket_id: True,
            "99999999": False,
        }
        assert outcomes["99999999"].error and outcomes["99999999"].words
        read = connection.get_records("ticket", [account.ticket_id], types=types)[account.ticket_id]
        assert read.values[account.text_field] == "In bulk" and "bulk_call" in read.values["tags"]

    def test_a_bulk_write_is_found_again_by_its_records(self, account, connection):
        since = datetime.now(UTC)
        begun = connection.update_records("ticket", {account.ticket_id: {account.text_field: "A"}})
        assert not connection.find_bulk("ticket", ["99999999"], since=since).is_certain  # it may be the one under way
        account.let_time_pass()
        found = connection.find_bulk("ticket", [account.ticket_id], since=since)
        assert found.is_certain and found.progress.handle == begun.handle
        missing = connection.find_bulk("ticket", ["99999999"], since=since)
        assert missing.is_certain and missing.progress is None

    def test_a_user_who_may_write_is_confirmed_and_one_who_was_demoted_is_not(self, account, connection):
        connection.confirm_writing("ticket")
        account.demote()
        with pytest.raises(GrantEnded) as caught:
            connection.confirm_writing("ticket")
        assert not caught.value.is_user_gone

    def test_a_dead_token_asks_for_reauthentication(self, account, grant):
        account.provider.revoke(account.address, access_token=grant.access_token)
        connection = account.connect(grant.access_token)
        with pytest.raises((Reauthenticate, GrantEnded)):
            connection.identify()

    def test_revoking_twice_is_fine(self, account, grant):
        account.provider.revoke(account.address, access_token=grant.access_token)
        account.provider.revoke(account.address, access_token=grant.access_token)

    def test_a_used_or_foreign_code_is_refused(self, account, grant):
        with pytest.raises((GrantEnded, AccessDenied, ValueRefused)):
            account.provider.finish_consent(
                account.address, code="never-issued", verifier=account.verifier, redirect_uri=REDIRECT_URI
            )

    @pytest.fixture
    def person(self, account, connection):
        """Somebody who was created a moment ago, with a number, an address and an id of another system."""
        clues = PersonClues(PHONE, "zoe.contract@example.com", "crm-771")
        request = account.provider.build_person(name="Zoé Contract", clues=clues)
        return connection.create_record(request, key="key-person").record

    def make_case(self, account, connection, person, subject="They called", key="key-case"):
        request = account.provider.build_case(subject=subject, text="What was said", owner_id=person.id)
        return connection.create_record(request, key=key)

    def test_the_types_of_people_and_cases_exist(self, account, connection):
        keys = {entity_type.key for entity_type in connection.list_entity_types()}
        assert {account.provider.person_type, account.provider.case_type} <= keys

    @pytest.mark.parametrize(
        "clues",
        [
            PersonClues(phone=PHONE),
            PersonClues(phone=read_phone_number("(514) 555-0177", country="CA")),
            PersonClues(email="Zoe.Contract@example.com"),
            PersonClues(external_id="crm-771"),
            PersonClues(PHONE, "nobody@example.com", "crm-000"),
        ],
    )
    def test_a_person_is_found_by_any_true_clue(self, connection, person, clues):
        assert [found.id for found in connection.find_people(clues)] == [person.id]

    @pytest.mark.parametrize(
        "clues",
        [
            PersonClues(),
            PersonClues(phone=read_phone_number("+15145550178", country="CA")),
            PersonClues(email="oe.contract@example.com"),
            PersonClues(external_id="crm-77"),
        ],
    )
    def test_nobody_is_found_by_what_is_only_like_a_clue(self, connection, person, clues):
        assert connection.find_people(clues) == []

    def test_a_new_record_carries_the_key_and_shows_what_was_asked(self, account, connection, person):
        answer = self.make_case(account, connection, person)
        assert answer.record.title == "They called"
        assert answer.record.owner_id == person.id
        assert answer.is_comment_posted is not False
        assert "called" not in f"{answer.request}{answer.answer}" and "said" not in f"{answer.request}{answer.answer}"
        assert [found.id for found in connection.find_by_external_id("ticket", "key-case")] == [answer.record.id]
        assert connection.find_by_external_id("ticket", "key-cas") == []

    def test_the_same_key_creates_nothing_again(self, account, connection, person):
        first, again = (self.make_case(account, connection, person).record.id for _time in range(2))
        assert again == first
        with pytest.raises(ValueRefused):
            self.make_case(account, connection, person, subject="Something else")

    @pytest.mark.parametrize(
        "attributes", [{"name": "Zoé Again", "email": "again@example.com"}, {"name": "Z", "external_id": "own-1"}]
    )
    def test_the_same_key_creates_nobody_again(self, account, connection, attributes):
        request = account.provider.read_creation("user", account.body_of("user", attributes))
        first = connection.create_record(request, key="key-again").record
        account.let_time_pass()  # a CRM may limit how many people are created a second
        again = connection.create_record(request, key="key-again").record
        assert again.id == first.id
        carried = attributes.get("external_id", "key-again")
        assert [found.id for found in connection.find_by_external_id("user", carried)] == [first.id]

    def test_an_unknown_external_id_is_nobodys(self, connection):
        for entity_type in ("ticket", "user"):
            assert connection.find_by_external_id(entity_type, "never-given") == []

    def test_unsolved_cases_are_listed_without_lag_and_solved_ones_are_not(self, account, connection, person):
        account.make_search_late()
        cases = [
            self.make_case(account, connection, person, f"Case {number}", f"key-{number}").record for number in "123"
        ]
        assert {found.id for found in connection.list_open_records(person.id)} == {case.id for case in cases}
        assert len(connection.list_open_records(person.id, limit=2)) == 2
        account.set_status(cases[0].id, "solved")
        assert {found.id for found in connection.list_open_records(person.id)} == {case.id for case in cases[1:]}

    def test_nobody_has_no_cases(self, connection):
        assert connection.list_open_records("99999999") == []

    def test_a_search_is_late_and_external_ids_are_not(self, account, connection, person):
        account.make_search_late()
        made = self.make_case(account, connection, person, "Unheard of").record
        assert connection.find_records("ticket", [SearchCriterion("subject", "Unheard of")]).records == ()
        assert [found.id for found in connection.find_by_external_id("ticket", "key-case")] == [made.id]

    def test_a_script_searches_with_values_that_need_quotes(self, account, connection, person):
        made = self.make_case(account, connection, person, "Re: door 4 status:solved").record
        for text in (
            'subject:"Re: door 4 status:solved"',
            f'status<solved requester:{person.id} subject:"door 4"',
            f"-status:solved requester:{person.id}",
        ):
            found = connection.find_records("ticket", account.provider.read_filter(text))
            assert [record.id for record in found.records] == [made.id], text
        assert connection.find_records(
            "ticket", account.provider.read_filter(f"status:hold requester:{person.id}")
        ) == (FoundRecords())

    def test_a_search_says_when_there_is_more(self, account, connection, person):
        for number in "12":
            self.make_case(account, connection, person, f"Many {number}", f"key-{number}")
        criteria = [SearchCriterion("requester", person.id)]
        assert not connection.find_records("ticket", criteria, limit=1).is_complete
        found = connection.find_records("ticket", criteria, limit=2)
        assert found.is_complete and len(found.records) == 2

    def test_lookup_fields_are_named_when_asked(self, account, connection, person):
        made = self.make_case(account, connection, person).record
        assert connection.get_records("ticket", [made.id])[made.id].names == {}
        read = connection.get_records("ticket", [made.id], named=["requester_id"])[made.id]
        assert read.names == {"requester_id": person.title} == {"requester_id": "Zoé Contract"}

    def test_only_a_closed_case_is_followed_up(self, account, connection, person):
        made = self.make_case(account, connection, person).record
        follow_up = account.provider.build_follow_up(made, "Again", "They called again")
        with pytest.raises(ValueRefused):
            connection.create_record(follow_up, key="key-early")
        account.set_status(made.id, "closed")
        followed = connection.create_record(follow_up, key="key-follow-up").record
        assert followed.id != made.id and followed.owner_id == person.id
        with pytest.raises(CreationRefused):
            account.provider.build_follow_up(person, "Again", "They called again")

    def test_a_script_is_told_what_is_wrong_with_its_record(self, account):
        body = account.body_of("ticket", {"subject": "s", "comment": "c", "no_such_thing": "x"})
        with pytest.raises(CreationRefused) as caught:
            account.provider.read_creation("ticket", body)
        ((path, sentence),) = caught.value.errors
        assert path == "ticket.no_such_thing" and sentence
        with pytest.raises(CreationRefused):
            account.provider.read_creation("ticket", {})

    @pytest.mark.parametrize("text", ["", "status:", 'subject:"open'])
    def test_a_script_is_told_what_is_wrong_with_its_filter(self, account, text):
        with pytest.raises(ValueError, match=r".{5}"):
            account.provider.read_filter(text)

    def test_records_are_shown_to_an_agent_where_the_account_can(self, account, connection, person):
        assert connection.show_to_agent(account.agent, "ticket", account.ticket_id)
        assert connection.show_to_agent(account.agent, "user", person.id)
        account.forbid_screens()
        assert not connection.show_to_agent(account.agent, "ticket", account.ticket_id)
