"""The users' endpoints: who am I, show, create, update, tags' neighbours."""

from typing import Any

from demo.zendesk.acting_user import ANONYMOUS
from demo.zendesk.field_values import accept_keyed, normalise_tags, retag
from demo.zendesk.paging import page_reply
from demo.zendesk.replies import Call, Reply, ids_of, record_invalid, record_missing, required_body, value_invalid
from demo.zendesk.rights import is_admin, require_agent, require_user_editing
from demo.zendesk.sideloads import sideload
from demo.zendesk.state import Account, Record, differences, stamp
from demo.zendesk.user_records import (
    add_identity,
    blank_user,
    identities_of,
    owner_of,
    render_user,
    set_phone,
)

TEXT_MOST = 255
LONG_MOST = 65_536
PLAIN = {"name": TEXT_MOST, "alias": TEXT_MOST, "external_id": TEXT_MOST, "notes": LONG_MOST, "details": LONG_MOST}
PLAIN |= {"signature": LONG_MOST, "time_zone": TEXT_MOST, "locale": TEXT_MOST}
ADMIN_ONLY = {"role", "custom_role_id", "suspended", "ticket_restriction"}


def show_me(call: Call) -> Reply:
    """`GET users/me`: 200 with "Anonymous user" when nobody is signed in."""
    if call.user is None:
        return Reply({"user": dict(ANONYMOUS)})
    return Reply({"user": render_user(call.account, call.user, call.base_url)})


def found_user(call: Call) -> Record:
    """The user in the path; deleted ones are still shown, with `active: false`."""
    user = call.account.find("users", call.record_id)
    if user is None:
        raise record_missing()
    return user


def show_user(call: Call) -> Reply:
    """`GET users/{id}`."""
    require_agent(call.actor)
    return Reply({"user": render_user(call.account, found_user(call), call.base_url)})


def list_users(call: Call) -> Reply:
    """`GET users`."""
    require_agent(call.actor)
    users = [user for user in call.account.table("users").values() if user["active"]]
    wanted = call.args.getlist("role") or call.args.getlist("role[]")
    users = [user for user in users if not wanted or user["role"] in wanted]
    return page_reply(call, "users", users, lambda user: render_user(call.account, user, call.base_url))


def show_many_users(call: Call) -> Reply:
    """`GET users/show_many?ids=` or `external_ids=`."""
    require_agent(call.actor)
    ids = ids_of(call.args.get("ids", ""))
    names = {name.strip().lower() for name in call.args.get("external_ids", "").split(",") if name.strip()}
    users = call.account.table("users")
    chosen = [users[key] for key in ids if key in users]
    chosen += [user for user in users.values() if (user["external_id"] or "").lower() in names]
    if call.args.get("include_deleted") != "true":
        chosen = [user for user in chosen if user["active"]]
    rows = [render_user(call.account, user, call.base_url) for user in chosen]
    paging = {"count": len(rows), "next_page": None, "previous_page": None}
    return Reply({"users": rows, **paging, **sideload(call, chosen)})


def list_identities(call: Call) -> Reply:
    """`GET users/{id}/identities`, of every kind or of those in `type[]`."""
    require_agent(call.actor)
    found_user(call)
    kinds = set(call.args.getlist("type[]"))
    found = [one for one in identities_of(call.account, call.record_id) if not kinds or one["type"] in kinds]
    return page_reply(call, "identities", found, dict)


def update_user(call: Call) -> Reply:
    """`PUT users/{id}`."""
    user, change = found_user(call), required_body(call, "user")
    require_user_editing(call.account, call.actor, user)
    changed = change_user(call, user, change)
    return Reply({"user": render_user(call.account, changed, call.base_url)})


def create_user(call: Call) -> Reply:
    """`POST users`."""
    require_user_editing(call.account, call.actor, None)
    change = required_body(call, "user")
    name = str(change.get("name") or "").strip()
    if not name:
        raise value_invalid("name", "Name: is too short (minimum is 1 characters)", "TooShort")
    blank = blank_user(call.account.new_id("users"), name, call.now)
    created = change_user(call, blank, change, is_new=True)
    location = {"Location": f"{call.base_url}/api/v2/users/{created['id']}.json"}
    return Reply({"user": render_user(call.account, created, call.base_url)}, 201, location)


def change_user(call: Call, user: Record, change: Record, *, is_new: bool = False) -> Record:
    """Apply a change, all or nothing. Unknown attributes are ignored. Raises ApiError with the refusals."""
    account = call.account
    if not user["active"]:
        raise record_missing()
    change = {name: value for name, value in change.items() if name not in ADMIN_ONLY or is_admin(call.actor)}
    values, problems = accept_keyed(account, "user_fields", user["user_fields"], change.get("user_fields"))
    draft = {**user, "user_fields": values}
    write_plain(draft, change, problems)
    check_unique(account, draft, change, problems)
    write_organization(account, draft, change, problems)
    if problems:
        raise record_invalid(problems)
    write_rest(account, draft, change)
    draft["tags"] = retag(account, "user_fields", draft["tags"], user["user_fields"], values)
    write_identities(call, draft, change, is_new=is_new)
    return keep_user(call, user, draft, change, is_new=is_new)


def write_plain(draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """Texts with their lengths."""
    for name, most in PLAIN.items():
        if name not in change:
            continue
        text = "" if change[name] is None else str(change[name])
        if len(text) > most or (name == "name" and not text.strip()):
            words = f"{name.capitalize()}: is too {'long' if text.strip() else 'short'} (maximum is {most} characters)"
            problems[name] = [{"description": words, "error": "InvalidValue"}]
        else:
            draft[name] = text if text or name in ("notes", "details") else None


def check_unique(account: Account, draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """E-mail addresses and external ids belong to one user."""
    email = change.get("email")
    owner = owner_of(account, "email", str(email)) if email else None
    if owner is not None and owner != draft["id"]:
        words = f"Email: {email} is already being used by another user"
        problems["email"] = [{"description": words, "error": "DuplicateValue"}]
    external = str(draft["external_id"] or "").lower()
    others = (user for user in account.table("users").values() if user["id"] != draft["id"])
    if external and "external_id" in change and any((user["external_id"] or "").lower() == external for user in others):
        words = f"External: {draft['external_id']} is already being used by another user"
        problems["external_id"] = [{"description": words, "error": "DuplicateValue"}]


def write_organization(account: Account, draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """The organization must exist; None takes the user out of it."""
    if "organization_id" not in change:
        return
    wanted: Any = change["organization_id"]
    if wanted and (not str(wanted).isdigit() or account.find("organizations", int(wanted)) is None):
        problems["organization"] = [{"description": "Organization: is invalid", "error": "InvalidValue"}]
        return
    draft["organization_id"] = int(wanted) if wanted else None


def write_rest(account: Account, draft: Record, change: Record) -> None:
    """Tags, and what administrators may change."""
    if "tags" in change:
        draft["tags"] = normalise_tags(change["tags"])
    for name in ADMIN_ONLY & set(change):
        draft[name] = change[name]
    role = account.find("custom_roles", draft["custom_role_id"])
    if "custom_role_id" in change and role is not None:
        draft |= {"role": "agent", "role_type": role["role_type"]}
    if draft["role"] == "end-user":
        draft |= {"custom_role_id": None, "role_type": None}


def write_identities(call: Call, draft: Record, change: Record, *, is_new: bool) -> None:
    """A phone is replaced; an e-mail address is added as a secondary one, except for a new user."""
    account, email = call.account, str(change.get("email") or "").lower()
    if email and owner_of(account, "email", email) is None:
        add_identity(account, draft["id"], "email", email, call.now, primary=is_new)
        draft["email"] = email if is_new else draft["email"]
    if "phone" in change:
        set_phone(account, draft, change["phone"], call.now)


def keep_user(call: Call, before: Record, draft: Record, change: Record, *, is_new: bool) -> Record:
    """Store the user, the log entry and the feed entry."""
    names = [name for name in change if name != "user_fields"]
    names += [f"user_fields.{key}" for key in change.get("user_fields") or {}]
    written = _flat(draft)
    fields = differences(_flat({} if is_new else before), written)
    if fields:
        draft["updated_at"] = stamp(call.now)
    call.account.put("users", draft["id"], draft)
    call.note_write("users", draft["id"], names, {name: written.get(name) for name in names})
    if is_new:
        fields = [{"field": "user", "before": None, "after": "created"}]
    if fields:
        who = {"actor": call.actor["name"], "label": draft["name"]}
        call.account.note_change(at=call.now, kind="users", key=draft["id"], fields=fields, **who)
    return draft


def _flat(user: Record) -> Record:
    keyed = {f"user_fields.{key}": value for key, value in user.get("user_fields", {}).items()}
    return {name: value for name, value in user.items() if name not in ("user_fields", "updated_at")} | keyed
