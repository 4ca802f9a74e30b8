"""The organizations' endpoints."""

from demo.zendesk.field_values import accept_keyed, normalise_tags, retag
from demo.zendesk.paging import page_reply
from demo.zendesk.replies import (
    Call,
    Reply,
    ids_of,
    parameter_missing,
    record_invalid,
    record_missing,
    required_body,
    value_invalid,
)
from demo.zendesk.rights import require_agent, require_organization_editing
from demo.zendesk.state import Account, Record, differences, stamp

PLAIN = {"name": 255, "details": 65_536, "notes": 65_536, "external_id": 255}


def blank_organization(organization_id: int, name: str, created_at: str) -> Record:
    """A new organization."""
    return {
        "id": organization_id,
        "name": name,
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": None,
        "created_at": created_at,
        "updated_at": created_at,
        "domain_names": [],
        "details": "",
        "notes": "",
        "group_id": None,
        "tags": [],
        "organization_fields": {},
    }


def render_organization(account: Account, organization: Record, base_url: str) -> Record:
    """An organization with every active field, unset ones as null."""
    values = organization["organization_fields"]
    shown = {
        field["key"]: values.get(field["key"], False if field["type"] == "checkbox" else None)
        for field in account.table("organization_fields").values()
        if field["active"]
    }
    url = f"{base_url}/api/v2/organizations/{organization['id']}.json"
    return {**organization, "url": url, "organization_fields": shown}


def render_with(call: Call, organization: Record) -> Record:
    """An organization for this call's answer."""
    return render_organization(call.account, organization, call.base_url)


def found_organization(call: Call) -> Record:
    """The organization in the path."""
    organization = call.account.find("organizations", call.record_id)
    if organization is None:
        raise record_missing()
    return organization


def show_organization(call: Call) -> Reply:
    """`GET organizations/{id}`."""
    require_agent(call.actor)
    return Reply({"organization": render_with(call, found_organization(call))})


def list_organizations(call: Call) -> Reply:
    """`GET organizations`."""
    require_agent(call.actor)
    records = list(call.account.table("organizations").values())
    return page_reply(call, "organizations", records, lambda record: render_with(call, record))


def show_many_organizations(call: Call) -> Reply:
    """`GET organizations/show_many?ids=` or `external_ids=`."""
    require_agent(call.actor)
    ids = ids_of(call.args.get("ids", ""))
    names = {name.strip().lower() for name in call.args.get("external_ids", "").split(",") if name.strip()}
    records = call.account.table("organizations")
    chosen = [records[key] for key in ids if key in records]
    chosen += [record for record in records.values() if (record["external_id"] or "").lower() in names]
    return _all(call, chosen)


def search_organizations(call: Call) -> Reply:
    """`GET organizations/search?external_id=` or `name=`: exact, whatever the case."""
    require_agent(call.actor)
    given = [name for name in ("external_id", "name") if name in call.args]
    if len(given) != 1:
        raise parameter_missing("external_id or name")
    wanted = call.args[given[0]].lower()
    records = call.account.table("organizations").values()
    return _all(call, [record for record in records if (record[given[0]] or "").lower() == wanted])


def _all(call: Call, records: list[Record]) -> Reply:
    rows = [render_with(call, record) for record in records]
    return Reply({"organizations": rows, "count": len(rows), "next_page": None, "previous_page": None})


def update_organization(call: Call) -> Reply:
    """`PUT organizations/{id}`."""
    organization, change = found_organization(call), required_body(call, "organization")
    require_organization_editing(call.account, call.actor, change)
    return Reply({"organization": render_with(call, change_organization(call, organization, change))})


def create_organization(call: Call) -> Reply:
    """`POST organizations`."""
    change = required_body(call, "organization")
    require_organization_editing(call.account, call.actor, change)
    if not str(change.get("name") or "").strip():
        raise value_invalid("name", "Name: cannot be blank", "BlankValue")
    blank = blank_organization(call.account.new_id("organizations"), "", stamp(call.now))
    created = change_organization(call, blank, change)
    location = {"Location": f"{call.base_url}/api/v2/organizations/{created['id']}.json"}
    return Reply({"organization": render_with(call, created)}, 201, location)


def change_organization(call: Call, organization: Record, change: Record) -> Record:
    """Apply a change, all or nothing. Unknown attributes are ignored. Raises ApiError with the refusals."""
    account, before = call.account, organization["organization_fields"]
    values, problems = accept_keyed(account, "organization_fields", before, change.get("organization_fields"))
    draft = {**organization, "organization_fields": values}
    write_plain(account, draft, change, problems)
    if problems:
        raise record_invalid(problems)
    if "tags" in change:
        draft["tags"] = normalise_tags(change["tags"])
    if isinstance(change.get("domain_names"), list):
        draft["domain_names"] = [str(name).lower() for name in change["domain_names"]]
    draft["tags"] = retag(account, "organization_fields", draft["tags"], before, values)
    return keep_organization(call, organization, draft, change)


def write_plain(account: Account, draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """Texts with their lengths; the name is unique."""
    for name in PLAIN.keys() & change.keys():
        text = "" if change[name] is None else str(change[name])
        others = (other for other in account.table("organizations").values() if other["id"] != draft["id"])
        if name == "external_id" and text and any((other[name] or "").lower() == text.lower() for other in others):
            words = f"External: {text} has already been taken"
            problems[name] = [{"description": words, "error": "DuplicateValue"}]
        elif name == "name" and any(other["name"].lower() == text.lower() for other in others):
            words = f"Name: {text} has already been taken"
            problems["name"] = [{"description": words, "error": "DuplicateValue"}]
        elif len(text) > PLAIN[name] or (name == "name" and not text.strip()):
            words = f"{name.capitalize()}: is too long or too short (maximum is {PLAIN[name]} characters)"
            problems[name] = [{"description": words, "error": "InvalidValue"}]
        else:
            draft[name] = text or (None if name == "external_id" else "")


def keep_organization(call: Call, before: Record, draft: Record, change: Record) -> Record:
    """Store the organization, the log entry and the feed entry."""
    names = [name for name in change if name != "organization_fields"]
    names += [f"organization_fields.{key}" for key in change.get("organization_fields") or {}]
    written = _flat(draft)
    fields = differences(_flat(before), written)
    if fields:
        draft["updated_at"] = stamp(call.now)
    call.account.put("organizations", draft["id"], draft)
    call.note_write("organizations", draft["id"], names, {name: written.get(name) for name in names})
    if fields:
        who = {"actor": call.actor["name"], "label": draft["name"]}
        call.account.note_change(at=call.now, kind="organizations", key=draft["id"], fields=fields, **who)
    return draft


def _flat(record: Record) -> Record:
    keyed = {f"organization_fields.{key}": value for key, value in record["organization_fields"].items()}
    return {name: value for name, value in record.items() if name not in ("organization_fields", "updated_at")} | keyed
