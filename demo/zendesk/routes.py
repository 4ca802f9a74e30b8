"""The table of API endpoints: method, path, handler, scope, limits."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from demo.zendesk import (
    audits,
    custom_objects,
    definitions,
    jobs,
    organizations,
    screens,
    search,
    tags,
    ticket_reads,
    token_reads,
    users,
)
from demo.zendesk import tickets as ticket_writes
from demo.zendesk.replies import Call, Reply

Handler = Callable[[Call], Reply]
PARTS = {"id": r"\d+", "agent": r"\d+", "key": r"[a-z0-9_]+", "record": r"[0-9A-Za-z]+", "job": r"[0-9A-Za-z-]+"}


@dataclass(frozen=True)
class Endpoint:
    """`resource` None: only the broad scope will do. `access` None: any token. `is_open`: no token needed."""

    method: str
    path: str
    handler: Handler
    resource: str | None = None
    access: str | None = "read"
    buckets: tuple[str, ...] = ()
    is_open: bool = False


TICKET_UPDATE = ("tickets-update", "per-ticket-updates")
USER_UPDATE = ("create-update-user", "users-update")
OBJECT = "custom_objects/{key}"
DISPLAY = "channels/voice/agents/{{agent}}/{}/{{id}}/display"  # which scope they need is not documented

ENDPOINTS = (
    Endpoint("GET", "users/me", users.show_me, "users", is_open=True),
    Endpoint("GET", "users", users.list_users, "users"),
    Endpoint("GET", "users/show_many", users.show_many_users, "users"),
    Endpoint("GET", "users/search", search.search_users, "users", buckets=("search-index",)),
    Endpoint("GET", "users/autocomplete", search.autocomplete_users, "users"),
    Endpoint("GET", "users/{id}", users.show_user, "users"),
    Endpoint("GET", "users/{id}/identities", users.list_identities, "users"),
    Endpoint("GET", "users/{id}/tickets/requested", ticket_reads.list_requested, "tickets"),
    Endpoint("GET", "users/{id}/tags", tags.show_user_tags, "users"),
    Endpoint("POST", "users", users.create_user, "users", "write", ("users-update",)),
    Endpoint("PUT", "users/update_many", jobs.update_many, "users", "write"),
    Endpoint("PUT", "users/{id}", users.update_user, "users", "write", USER_UPDATE),
    Endpoint("PUT", "users/{id}/tags", tags.write_user_tags, "users", "write"),
    Endpoint("POST", "users/{id}/tags", tags.write_user_tags, "users", "write"),
    Endpoint("DELETE", "users/{id}/tags", tags.write_user_tags, "users", "write"),
    Endpoint("GET", "tickets", ticket_reads.list_tickets, "tickets", buckets=("tickets-index",)),
    Endpoint("GET", "tickets/show_many", ticket_reads.show_many_tickets, "tickets"),
    Endpoint("GET", "tickets/{id}", ticket_reads.show_ticket, "tickets"),
    Endpoint("GET", "tickets/{id}/comments", audits.list_comments, "tickets"),
    Endpoint("GET", "tickets/{id}/audits", audits.list_audits),
    Endpoint("GET", "tickets/{id}/tags", tags.show_ticket_tags, "tickets"),
    Endpoint("POST", "tickets", ticket_writes.create_ticket, "tickets", "write"),
    Endpoint("PUT", "tickets/update_many", jobs.update_many, "tickets", "write"),
    Endpoint("PUT", "tickets/{id}", ticket_writes.update_ticket, "tickets", "write", TICKET_UPDATE),
    Endpoint("PUT", "tickets/{id}/tags", tags.write_ticket_tags, "tickets", "write", TICKET_UPDATE),
    Endpoint("POST", "tickets/{id}/tags", tags.write_ticket_tags, "tickets", "write", TICKET_UPDATE),
    Endpoint("DELETE", "tickets/{id}/tags", tags.write_ticket_tags, "tickets", "write", TICKET_UPDATE),
    Endpoint("GET", "organizations", organizations.list_organizations, "organizations"),
    Endpoint("GET", "organizations/show_many", organizations.show_many_organizations, "organizations"),
    Endpoint("GET", "organizations/search", organizations.search_organizations, "organizations"),
    Endpoint("GET", "organizations/{id}", organizations.show_organization, "organizations"),
    Endpoint("GET", "organizations/{id}/tags", tags.show_organization_tags, "organizations"),
    Endpoint("POST", "organizations", organizations.create_organization, "organizations", "write"),
    Endpoint("PUT", "organizations/update_many", jobs.update_many, "organizations", "write"),
    Endpoint(
        "PUT",
        "organizations/{id}",
        organizations.update_organization,
        "organizations",
        "write",
        ("organization-update",),
    ),
    Endpoint("PUT", "organizations/{id}/tags", tags.write_organization_tags, "organizations", "write"),
    Endpoint("POST", "organizations/{id}/tags", tags.write_organization_tags, "organizations", "write"),
    Endpoint("DELETE", "organizations/{id}/tags", tags.write_organization_tags, "organizations", "write"),
    Endpoint("GET", "ticket_fields", definitions.list_ticket_fields, buckets=("ticket-fields-index",)),
    Endpoint("GET", "ticket_fields/{id}", definitions.show_ticket_field),
    Endpoint("GET", "user_fields", definitions.list_user_fields),
    Endpoint("GET", "organization_fields", definitions.list_organization_fields),
    Endpoint("GET", "ticket_forms", definitions.list_ticket_forms),
    Endpoint("GET", "custom_statuses", definitions.list_custom_statuses),
    Endpoint("GET", "groups", definitions.list_groups, "groups"),
    Endpoint("GET", "custom_roles", definitions.list_custom_roles),
    Endpoint("GET", "custom_roles/{id}", definitions.show_custom_role),
    Endpoint("GET", "account/settings", definitions.show_settings, "account_settings"),
    Endpoint("GET", "search", search.search_all, buckets=("search-index",)),
    Endpoint("POST", DISPLAY.format("tickets"), screens.display_ticket, "tickets", "write"),
    Endpoint("POST", DISPLAY.format("users"), screens.display_user, "users", "write"),
    Endpoint("GET", "custom_objects", custom_objects.list_objects, "custom_objects"),
    Endpoint("GET", OBJECT, custom_objects.show_object, "custom_objects"),
    Endpoint("GET", OBJECT + "/fields", custom_objects.list_fields, "custom_objects"),
    Endpoint("GET", OBJECT + "/records", custom_objects.list_records, "custom_objects"),
    Endpoint("GET", OBJECT + "/records/search", custom_objects.search_records, "custom_objects"),
    Endpoint("POST", OBJECT + "/records/search", custom_objects.filter_records, "custom_objects"),
    Endpoint("GET", OBJECT + "/records/{record}", custom_objects.show_record, "custom_objects"),
    Endpoint("POST", OBJECT + "/records", custom_objects.create_record, "custom_objects", "write"),
    Endpoint("PATCH", OBJECT + "/records", custom_objects.upsert_record, "custom_objects", "write"),
    Endpoint("PATCH", OBJECT + "/records/{record}", custom_objects.update_record, "custom_objects", "write"),
    Endpoint("POST", OBJECT + "/jobs", jobs.update_objects, "custom_objects", "write"),
    Endpoint("GET", "job_statuses", jobs.list_jobs),
    Endpoint("GET", "job_statuses/show_many", jobs.show_many_jobs),
    Endpoint("GET", "job_statuses/{job}", jobs.show_job),
    Endpoint("GET", "oauth/tokens/current", token_reads.show_current_token, access=None),
    Endpoint("DELETE", "oauth/tokens/current", token_reads.revoke_current_token, access=None),
)


def _compile(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", lambda found: f"(?P<{found[1]}>{PARTS[found[1]]})", path))


_BY_METHOD: dict[str, list[tuple[re.Pattern[str], Endpoint]]] = {}
for _endpoint in ENDPOINTS:
    _BY_METHOD.setdefault(_endpoint.method, []).append((_compile(_endpoint.path), _endpoint))


@lru_cache(maxsize=4_096)
def match_endpoint(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of a path below `api/v2/`, with its parameters (not to be changed); None when there is none."""
    for pattern, endpoint in _BY_METHOD.get(method, []):
        found = pattern.fullmatch(path)
        if found:
            return endpoint, found.groupdict()
    return None
