"""What an account is made of: fields, forms, statuses, roles, groups and settings, read-only."""

from typing import Any

from demo.zendesk.paging import cursor_reply, offset_reply, wants_cursor
from demo.zendesk.replies import Call, Reply, record_missing
from demo.zendesk.rights import require_agent
from demo.zendesk.state import Record


def _by_position(records: Any) -> list[Record]:
    return sorted(records, key=lambda record: record.get("position", 0))


def _list(call: Call, kind: str) -> Reply:
    """By cursor ordered by id; without paging all of them, ordered by position."""
    require_agent(call.actor)
    base = f"{call.base_url}/api/v2/{kind}"
    records = [{**record, "url": f"{base}/{key}.json"} for key, record in call.account.table(kind).items()]
    if wants_cursor(call):
        return cursor_reply(call, kind, records, dict)
    if "page" in call.args or "per_page" in call.args:
        return offset_reply(call, kind, _by_position(records), dict)
    return Reply({kind: _by_position(records), "count": len(records), "next_page": None, "previous_page": None})


def list_ticket_fields(call: Call) -> Reply:
    """`GET ticket_fields`."""
    return _list(call, "ticket_fields")


def show_ticket_field(call: Call) -> Reply:
    """`GET ticket_fields/{id}`."""
    return _show(call, "ticket_fields", "ticket_field")


def list_user_fields(call: Call) -> Reply:
    """`GET user_fields`."""
    return _list(call, "user_fields")


def list_organization_fields(call: Call) -> Reply:
    """`GET organization_fields`."""
    return _list(call, "organization_fields")


def list_ticket_forms(call: Call) -> Reply:
    """`GET ticket_forms`."""
    return _list(call, "ticket_forms")


def list_custom_statuses(call: Call) -> Reply:
    """`GET custom_statuses`."""
    return _list(call, "custom_statuses")


def list_groups(call: Call) -> Reply:
    """`GET groups`."""
    return _list(call, "groups")


def list_custom_roles(call: Call) -> Reply:
    """`GET custom_roles`."""
    return _list(call, "custom_roles")


def show_custom_role(call: Call) -> Reply:
    """`GET custom_roles/{id}`."""
    return _show(call, "custom_roles", "custom_role")


def show_settings(call: Call) -> Reply:
    """`GET account/settings`, as much of it as an integration looks at."""
    require_agent(call.actor)
    settings = {
        "active_features": {"customer_satisfaction": True, "custom_objects_activated": True, "ticket_forms": True},
        "api": {"accepted_api_agreement": True, "api_password_access": "false", "api_token_access": "false"},
        "localization": {"locale_ids": [1, 16], "time_zone": "Eastern Time (US & Canada)"},
        "tickets": {"comments_public_by_default": True, "tagging": True, "use_fancy_lookup": True},
        "brands": {"default_brand_id": call.account.setting("brand_id", 0)},
        "limits": {"attachment_size": 52_428_800},
    }
    return Reply({"settings": settings})


def _show(call: Call, kind: str, name: str) -> Reply:
    require_agent(call.actor)
    record = call.account.find(kind, call.record_id)
    if record is None:
        raise record_missing()
    return Reply({name: {**record, "url": f"{call.base_url}/api/v2/{kind}/{call.record_id}.json"}})
