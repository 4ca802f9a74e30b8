"""Every request of the client is valid against Zendesk's own OpenAPI file, where that file speaks.

Collected only when ZENDESK_OPENAPI names the file (see conftest.py). What the file is silent or wrong about is listed
here by name, so that a new gap is noticed and an old one that closes is too.
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
import responses

from zendesk_client import FieldDefinition, OAuthClient, SearchTerm, WriteOptions, ZendeskClient

DOCUMENT = json.loads(Path(os.environ["ZENDESK_OPENAPI"]).read_text(encoding="utf-8"))
CAR_ID = "01GCSJW391QVSC80GYDH7E93Q6"

# Query parameters the file does not mention although the pages of the documentation do (cursor pages and their order).
UNMENTIONED_PARAMETERS = {
    ("GET", "/api/v2/custom_objects/{custom_object_key}/fields", "page[size]"),
    ("GET", "/api/v2/users/{user_id}/tickets/requested", "sort"),
    ("GET", "/api/v2/search", "per_page"),
    ("GET", "/api/v2/organizations/show_many", "include"),
}
# Operations that take a body the file leaves out.
UNMENTIONED_BODIES = {
    ("PUT", "/api/v2/organizations/{organization_id}"),
    ("PUT", "/api/v2/organizations/update_many"),
    ("PUT", "/api/v2/tickets/{ticket_id}/tags"),
    ("PUT", "/api/v2/users/{user_id}/tags"),
    ("PUT", "/api/v2/organizations/{organization_id}/tags"),
    ("PATCH", "/api/v2/custom_objects/{custom_object_key}/records/{custom_object_record_id}"),
    ("POST", "/oauth/tokens"),
}
# The schema each of them ought to have, by the record it writes; None: checked by the client's own tests.
STAND_IN_SCHEMAS = {
    ("PUT", "/api/v2/organizations/{organization_id}"): "OrganizationObject",
    ("PATCH", "/api/v2/custom_objects/{custom_object_key}/records/{custom_object_record_id}"): "CustomObjectRecord",
}
# Parameters of another type than the file says: external ids are text.
MISTYPED_PARAMETERS = {("GET", "/api/v2/organizations/search", "external_id")}

DEFINITIONS = {
    definition.key: definition
    for definition in (
        FieldDefinition("custom_field_1", "integer", "A"),
        FieldDefinition("custom_field_2", "checkbox", "B"),
        FieldDefinition("custom_field_3", "multiselect", "C"),
        FieldDefinition("custom_field_4", "decimal", "D"),
    )
}
TICKET_VALUES = {
    "subject": "s",
    "priority": "high",
    "type": "task",
    "status": "open",
    "custom_status_id": "11",
    "group_id": "5",
    "assignee_id": "6",
    "external_id": "x",
    "due_at": "2026-11-22T10:00:00Z",
    "custom_field_1": "7",
    "custom_field_2": True,
    "custom_field_3": ["a"],
    "custom_field_4": "1.5",
    "custom_field_5": "text",
}
USER_KEYS = ("name", "phone", "alias", "details", "notes", "external_id", "time_zone", "locale", "plan")
USER_VALUES = dict.fromkeys(USER_KEYS, "x")
ORGANIZATION_VALUES = dict.fromkeys(("name", "details", "notes", "external_id", "plan"), "x")
OPTIONS = WriteOptions(metadata={"delivery": "d"}, updated_stamp="2026-11-22T10:00:00Z")

CALLS = {
    "whoami": lambda client: client.whoami(),
    "custom_role": lambda client: client.custom_role(1),
    "custom_objects": lambda client: client.list_custom_objects(),
    "ticket_fields": lambda client: client.list_fields("ticket"),
    "user_fields": lambda client: client.list_fields("user"),
    "organization_fields": lambda client: client.list_fields("organization"),
    "custom_object_fields": lambda client: client.list_fields("custom_object:car"),
    "show_ticket": lambda client: client.show("ticket", 1),
    "show_user": lambda client: client.show("user", 1),
    "show_organization": lambda client: client.show("organization", 1),
    "show_record": lambda client: client.show("custom_object:car", CAR_ID),
    "show_tickets": lambda client: client.show_many("ticket", [1, 2]),
    "show_users": lambda client: client.show_many("user", [1, 2]),
    "show_organizations": lambda client: client.show_many("organization", [1]),
    "show_records": lambda client: client.show_many("custom_object:car", [CAR_ID]),
    "find_tickets": lambda client: client.find_by_external_id("ticket", "A-1"),
    "find_users": lambda client: client.find_by_external_id("user", "A-1"),
    "find_organizations": lambda client: client.find_by_external_id("organization", "A-1"),
    "find_records": lambda client: client.find_by_external_id("custom_object:car", "A-1"),
    "find_by_phone": lambda client: client.find_users_by_phone("+15145550123"),
    "find_by_email": lambda client: client.find_users_by_email("a@example.com"),
    "requested": lambda client: client.list_requested_tickets(1),
    "all_requested": lambda client: list(client.iterate_requested_tickets(1, most=5)),
    "identities": lambda client: client.list_identities(1, "phone_number"),
    "search": lambda client: client.search("ticket", [SearchTerm("status", "open")]),
    "search_texts": lambda client: client.search("custom_object:car", [SearchTerm("", "red")]),
    "search_objects": lambda client: client.search(
        "custom_object:car", [SearchTerm("color", "red"), SearchTerm("created_at", "2026-01-01", ">")]
    ),
    "named_tickets": lambda client: client.show_many_named("ticket", [1], ["user", "group"], fields=None),
    "named_users": lambda client: client.show_many_named("user", [1], ["organization"], fields=None),
    "display": lambda client: client.display(5, "ticket", 1),
    "display_user": lambda client: client.display(5, "user", 1),
    "audits": lambda client: list(client.iterate_ticket_audits(1)),
    "update_ticket": lambda client: client.update(
        "ticket", 1, {**TICKET_VALUES, "comment": "c"}, fields=DEFINITIONS, options=OPTIONS
    ),
    "update_user": lambda client: client.update("user", 1, USER_VALUES),
    "update_organization": lambda client: client.update("organization", 1, ORGANIZATION_VALUES),
    "update_record": lambda client: client.update("custom_object:car", CAR_ID, {"name": "n", "color": "red"}),
    "create_ticket": lambda client: client.create(
        "ticket", {**TICKET_VALUES, "comment": "c", "tags": ["a"], "requester_id": 5}, idempotency_key="k"
    ),
    "create_ticket_for_somebody": lambda client: client.create(
        "ticket",
        {"subject": "s", "comment": "<p>c</p>"},
        options=WriteOptions(comment_is_html=True),
        extras={
            "requester": {"name": "N", "email": "a@example.com"},
            "via_followup_source_id": 5,
            "assignee_email": "b@example.com",
            "ticket_form_id": 1,
            "brand_id": 2,
            "problem_id": 3,
        },
    ),
    "create_user": lambda client: client.create(
        "user",
        {**USER_VALUES, "email": "a@example.com", "tags": ["a"]},
        extras={"skip_verify_email": True, "verified": False},
    ),
    "upsert_record": lambda client: client.upsert_object_record("custom_object:car", "A-1", {"name": "n"}),
    "create_organization": lambda client: client.create("organization", {**ORGANIZATION_VALUES, "tags": ["a"]}),
    "create_record": lambda client: client.create("custom_object:car", {"name": "n", "color": "red"}),
    "tag_ticket": lambda client: client.add_tags("ticket", 1, ["a"]),
    "tag_user": lambda client: client.add_tags("user", 1, ["a"]),
    "tag_organization": lambda client: client.add_tags("organization", 1, ["a"]),
    "update_tickets": lambda client: client.update_many("ticket", {"1": {**TICKET_VALUES, "tags": ["a"]}}),
    "update_users": lambda client: client.update_many("user", {"1": USER_VALUES}),
    "update_organizations": lambda client: client.update_many("organization", {"1": ORGANIZATION_VALUES}),
    "update_records": lambda client: client.update_many("custom_object:car", {CAR_ID: {"color": "red"}}),
    "show_job": lambda client: client.show_job("V3-1"),
    "show_jobs": lambda client: client.show_jobs(["V3-1"]),
    "recent_jobs": lambda client: client.list_recent_jobs(),
}
LISTS = ("custom_objects", "ticket_fields", "user_fields", "organization_fields", "custom_object_fields", "tickets")
LISTS += ("users", "organizations", "custom_object_records", "audits", "tags", "job_statuses", "identities", "results")
OBJECTS = ("user", "custom_role", "ticket", "organization", "custom_object_record", "job_status")
ANSWER_TO_EVERYTHING = {**dict.fromkeys(LISTS, []), **{name: {"id": 1} for name in OBJECTS}, "access_token": "t"}


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].split("/")[1:]:
            found = found[part]
        node = found
    return node


def allow_null(node: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: ``nullable`` becomes a type."""
    if isinstance(node, list):
        return [allow_null(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    copied = {key: allow_null(value) for key, value in node.items() if key not in ("example", "examples")}
    if copied.get("nullable") is True and isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
        if "enum" in copied:
            copied["enum"] = [*copied["enum"], None]
    return copied


SCHEMAS = allow_null(DOCUMENT["components"]["schemas"])
# The file uses the schema of a whole record for updates too, which name only what changes.
SCHEMAS_OF_UPDATES = {
    **SCHEMAS,
    **{name: {**SCHEMAS[name], "required": []} for name in ("CustomObjectRecord", "OrganizationObject")},
}


def find_operation(method: str, path: str) -> tuple[str, dict[str, Any]]:
    candidates = sorted(DOCUMENT["paths"], key=lambda template: template.count("{"))
    for template in candidates:
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return template, DOCUMENT["paths"][template]
    raise AssertionError(f"{path} is in no path of the file")


def check_parameters(method: str, template: str, item: dict[str, Any], address: str) -> None:
    listed = [resolve(entry) for entry in item.get("parameters", []) + item[method.lower()].get("parameters", [])]
    known = {entry["name"]: entry for entry in listed if entry["in"] == "query"}
    sent = dict(parse_qsl(urlsplit(address).query))
    for name, value in sent.items():
        entry = known.get(name) or known.get(name.partition("[")[0])
        if entry is None:
            assert (method, template, name) in UNMENTIONED_PARAMETERS, f"{name} is unknown to {method} {template}"
        elif entry.get("schema", {}).get("type") == "integer" and (method, template, name) not in MISTYPED_PARAMETERS:
            assert value.isdigit(), f"{name} of {template} must be a number"
    required = {name for name, entry in known.items() if entry.get("required")}
    assert required <= set(sent), f"{required - set(sent)} is required by {method} {template}"


def check_body(method: str, template: str, operation: dict[str, Any], body: Any) -> None:
    content = operation.get("requestBody")
    if content is None:
        assert body is None or (method, template) in UNMENTIONED_BODIES, f"{method} {template} takes no body"
        stand_in = STAND_IN_SCHEMAS.get((method, template))
        schema = {"additionalProperties": {"$ref": f"#/components/schemas/{stand_in}"}} if stand_in else {}
    else:
        assert (method, template) not in UNMENTIONED_BODIES, f"the file now describes the body of {method} {template}"
        schema = allow_null(resolve(content)["content"]["application/json"]["schema"])
    is_update = method in ("PUT", "PATCH") or template.endswith("/jobs")
    schemas = SCHEMAS_OF_UPDATES if is_update else SCHEMAS
    validator = jsonschema.Draft202012Validator({**schema, "components": {"schemas": schemas}})
    if body is not None:
        problems = list(validator.iter_errors(body))
        assert not problems, f"{method} {template}: {problems[0].message}"
        check_names(method, template, schema, body)


def check_names(method: str, template: str, schema: dict[str, Any], body: Any) -> None:
    """Zendesk drops names it does not know without a word, so none may be misspelt."""
    for key, value in body.items():
        schemas = find_properties(schema, key)
        assert schemas or (method, template) in UNMENTIONED_BODIES, f"{key} is unknown to {method} {template}"
        for record in value if isinstance(value, list) else [value]:
            if isinstance(record, dict):
                known = {name for inner in schemas for name in list_names(inner)}
                assert not known or set(record) <= known, f"{set(record) - known} is unknown to {method} {template}"


def find_properties(schema: dict[str, Any], key: str) -> list[dict[str, Any]]:
    schema = resolve(schema)
    inner = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name, [])]
    found = [schema["properties"][key]] if key in schema.get("properties", {}) else []
    extra = schema.get("additionalProperties")
    if not found and isinstance(extra, dict):
        found = [extra]
    return found + [result for part in inner for result in find_properties(part, key)]


def list_names(schema: dict[str, Any]) -> set[str]:
    schema = resolve(schema)
    inner = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name, [])]
    if schema.get("type") == "array":
        inner.append(schema["items"])
    return set(schema.get("properties", {})).union(*(list_names(part) for part in inner))


def check_request(request: Any) -> None:
    address = urlsplit(request.url)
    template, item = find_operation(request.method, address.path)
    assert request.method.lower() in item, f"{template} knows no {request.method}"
    check_parameters(request.method, template, item, request.url)
    is_json = request.headers.get("Content-Type") == "application/json"
    body = json.loads(request.body) if is_json else None
    check_body(request.method, template, item[request.method.lower()], body)


@pytest.fixture
def seen():
    requests: list[Any] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        requests.append(request)
        return 200, {"Content-Type": "application/json"}, json.dumps(ANSWER_TO_EVERYTHING)

    with responses.RequestsMock() as mock:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(r"https://acme\.zendesk\.com/.*"), callback=answer)
        mock.assert_all_requests_are_fired = False
        yield requests


@pytest.mark.parametrize("name", CALLS)
def test_a_request_of_the_client_is_valid_against_zendesks_openapi_file(seen, name):
    CALLS[name](ZendeskClient("acme", "t"))
    assert seen
    for request in seen:
        check_request(request)


def test_requests_for_tokens_go_where_the_file_says(seen):
    oauth = OAuthClient("acme", client_id="c", client_secret="s", redirect_uri="https://cti.example/")
    oauth.exchange_code("c", "v", ["read"])
    oauth.refresh("r")
    oauth.revoke("t")
    assert len(seen) == 3
    for request in seen:
        check_request(request)


def test_every_public_call_of_the_client_is_checked():
    used = set()
    for call in CALLS.values():
        used |= set(call.__code__.co_names)
    public = {name for name in dir(ZendeskClient) if not name.startswith("_")} - {"close", "last_limits"}
    assert public <= used


def test_the_check_itself_finds_a_misspelt_name(seen):
    client = ZendeskClient("acme", "t")
    client._transport.send("PUT", "/api/v2/tickets/1", json_body={"ticket": {"subjekt": "x"}})
    with pytest.raises(AssertionError, match="subjekt"):
        check_request(seen[0])


def test_the_check_itself_finds_a_value_of_the_wrong_type(seen):
    client = ZendeskClient("acme", "t")
    client._transport.send("PUT", "/api/v2/tickets/1", json_body={"ticket": {"priority": "highest"}})
    with pytest.raises(AssertionError, match="highest"):
        check_request(seen[0])
