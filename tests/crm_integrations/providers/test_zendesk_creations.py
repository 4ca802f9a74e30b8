"""New records as scripts describe them for Zendesk, and the ones that the product itself asks for."""

import pytest

from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.providers.base import CreationRefused, CRMRecord, PersonClues
from crm_integrations.providers.zendesk.provider import ZendeskProvider

PROVIDER = ZendeskProvider()
TICKET = {
    "subject": "Call from +15145550123",
    "comment": {"body": "What was said"},
    "priority": "Normal",
    "tags": ["cxone"],
    "requester_id": 35,
    "custom_fields": [{"id": "360012345678", "value": "x"}, {"id": 5, "value": ["a"]}],
}


def refused(entity_type, body, **options):
    with pytest.raises(CreationRefused) as caught:
        PROVIDER.read_creation(entity_type, body, **options)
    return dict(caught.value.errors)


def test_a_ticket_is_read_as_zendesk_documents_it():
    request = PROVIDER.read_creation("ticket", {"ticket": TICKET})
    assert request.values == {
        "subject": "Call from +15145550123",
        "comment": "What was said",
        "priority": "normal",
        "tags": ["cxone"],
        "requester_id": "35",
        "custom_field_360012345678": "x",
        "custom_field_5": ["a"],
    }
    assert request.details.get("comment_is_public") is None


@pytest.mark.parametrize(
    ("comment", "text", "details"),
    [
        ("plain", "plain", {"comment_is_html": False}),
        ({"html_body": "<p>x</p>", "public": False}, "<p>x</p>", {"comment_is_html": True, "comment_is_public": False}),
        ({"body": "x", "public": "true"}, "x", {"comment_is_html": False, "comment_is_public": True}),
    ],
)
def test_a_comment_is_internal_unless_it_says_that_it_is_public(comment, text, details):
    request = PROVIDER.read_creation("ticket", {"ticket": {"comment": comment}})
    assert request.values["comment"] == text
    assert request.details == details


def test_what_is_no_field_goes_along_as_it_is():
    body = {
        "requester": {"name": "Zoé", "email": "zoe@example.com"},
        "via_followup_source_id": "7",
        "description": "said",
    }
    request = PROVIDER.read_creation("ticket", {"ticket": body})
    assert request.details["extras"] == {
        "requester": {"name": "Zoé", "email": "zoe@example.com"},
        "via_followup_source_id": 7,
    }


def test_a_user_has_fields_of_its_own_and_gets_no_mail():
    body = {"name": "Zoé", "phone": "+15145550123", "user_fields": {"loyalty_level": "gold", "phone": "spare"}}
    request = PROVIDER.read_creation("user", {"user": body})
    assert request.values == {
        "name": "Zoé",
        "phone": "+15145550123",
        "loyalty_level": "gold",
        "user_fields.phone": "spare",
    }
    assert request.details == {"extras": {"skip_verify_email": True}}


def test_organizations_and_custom_objects_are_described_alike():
    organization = {"organization": {"name": "Acme", "organization_fields": {"region": "east"}}}
    assert PROVIDER.read_creation("organization", organization).values == {"name": "Acme", "region": "east"}
    record = {"custom_object_record": {"name": "Volvo", "custom_object_fields": {"seats": 5}}}
    assert PROVIDER.read_creation("custom_object:car", record).values == {"name": "Volvo", "seats": 5}


@pytest.mark.parametrize(
    ("entity_type", "body", "paths"),
    [
        ("ticket", {}, {"ticket"}),
        ("ticket", {"ticket": []}, {"ticket"}),
        ("ticket", {"ticket": {"subject": "s"}}, {"ticket.comment"}),
        ("ticket", {"ticket": {"comment": {}}}, {"ticket.comment.body"}),
        ("ticket", {"ticket": {"comment": {"body": "x", "author_id": 1}}}, {"ticket.comment.author_id"}),
        ("ticket", {"ticket": {"comment": "x", "priority": "top", "status": "closed"}}, {
            "ticket.priority", "ticket.status"
        }),
        ("ticket", {"ticket": {"comment": "x", "tags": "a b"}}, {"ticket.tags"}),
        ("ticket", {"ticket": {"comment": "x", "subject": {"a": 1}}}, {"ticket.subject"}),
        ("ticket", {"ticket": {"comment": "x", "assignee_id": "Ada"}}, {"ticket.assignee_id"}),
        ("ticket", {"ticket": {"comment": "x", "custom_fields": {"5": "x"}}}, {"ticket.custom_fields"}),
        ("ticket", {"ticket": {"comment": "x", "custom_fields": [{"id": 5}]}}, {"ticket.custom_fields[0]"}),
        ("ticket", {"ticket": {"comment": "x", "custom_fields": [{"id": "a", "value": 1}]}}, {
            "ticket.custom_fields[0].id"
        }),
        ("ticket", {"ticket": {"comment": "x", "custom_fields": [{"id": 5, "value": {}}]}}, {
            "ticket.custom_fields[0].value"
        }),
        ("ticket", {"ticket": {"comment": "x", "requester": "zoe@example.com"}}, {"ticket.requester"}),
        ("ticket", {"ticket": {"comment": "x", "requester": {"email": "zoe"}}}, {"ticket.requester.email"}),
        ("ticket", {"ticket": {"comment": "x"}, "pinned": True}, {"pinned"}),
        ("ticket", {"ticket": {"comment": "x", "external_id": "x" * 256}}, {"ticket.external_id"}),
        ("ticket", {"ticket": {"comment": "x", "due_at": "soon"}}, {"ticket.due_at"}),
        ("user", {"user": {"email": "zoe@example.com"}}, {"user.name"}),
        ("user", {"user": {"name": " ", "role": "admin"}}, {"user.name", "user.role"}),
        ("user", {"user": {"name": "Z", "loyalty_level": "gold"}}, {"user.loyalty_level"}),
        ("user", {"user": {"name": "Z", "user_fields": ["a"]}}, {"user.user_fields"}),
        ("planet", {"planet": {}}, {""}),
    ],
)  # fmt: skip
def test_what_zendesk_would_drop_or_refuse_is_named_by_its_path(entity_type, body, paths):
    errors = refused(entity_type, body)
    assert set(errors) == paths
    assert all(errors.values())


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_signs_that_nobody_can_store_are_refused_before_any_call(text):
    assert list(refused("ticket", {"ticket": {**TICKET, "external_id": text}})) == ["ticket.external_id"]
    custom = [{"id": 5, "value": text}, {"id": 6, "value": [text]}, {"id": 7, "value": float("nan")}]
    paths = [f"ticket.custom_fields[{place}].value" for place in range(3)]
    assert list(refused("ticket", {"ticket": {"comment": "x", "custom_fields": custom}})) == paths


def test_a_standard_workflow_takes_no_custom_fields():
    assert set(refused("ticket", {"ticket": TICKET}, is_standard_only=True)) == {"ticket.custom_fields"}
    standard = {name: value for name, value in TICKET.items() if name != "custom_fields"}
    assert PROVIDER.read_creation("ticket", {"ticket": standard}, is_standard_only=True).values["subject"]


def test_a_follow_up_names_the_closed_ticket_and_its_requester():
    closed = CRMRecord("ticket", "7", "Door", {}, is_closed=True, owner_id="35")
    request = PROVIDER.build_follow_up(closed, "Again", "said")
    assert request.values == {"subject": "Again", "comment": "said", "requester_id": "35"}
    assert request.details == {"extras": {"via_followup_source_id": 7}}
    with pytest.raises(CreationRefused):
        PROVIDER.build_follow_up(CRMRecord("user", "35", "Zoé", {}), "Again", "said")


def test_a_person_is_named_by_the_best_there_is():
    phone = read_phone_number("514 555-0123", country="CA")
    assert PROVIDER.build_person(name="Zoé", clues=PersonClues(phone, "z@example.com")).values == {
        "name": "Zoé",
        "phone": "+15145550123",
        "email": "z@example.com",
    }
    assert PROVIDER.build_person(name=" ", clues=PersonClues(phone)).values["name"] == "+15145550123"
    assert "requester_id" not in PROVIDER.build_case(subject="s" * 300, text="t", owner_id="").values
