"""The system properties of a ticket: what each accepts when it is written, as a table."""

from collections.abc import Callable
from typing import Any

from demo.zendesk.replies import ValueRefused
from demo.zendesk.state import Account, Record, moment_of
from demo.zendesk.ticket_reads import STATUSES, status_ids

SUBJECT_MOST = 255
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")

Acceptor = Callable[[Account, Any], Any]


def _short_text(words: str) -> Acceptor:
    def accept(_account: Account, value: Any) -> Any:
        text = None if value is None else str(value)
        if text is not None and len(text) > SUBJECT_MOST:
            raise ValueRefused(f"{words}: is too long (maximum is {SUBJECT_MOST} characters)")
        return text

    return accept


def _one_of(words: str, values: tuple[str, ...], *, blank: bool = True) -> Acceptor:
    def accept(_account: Account, value: Any) -> Any:
        if value in values or (blank and value in (None, "")):
            return value or None
        raise ValueRefused(f"{words}: {value} is not valid for {words}")

    return accept


def _record(words: str, kind: str, *, blank: bool = True, agent: bool = False) -> Acceptor:
    def accept(account: Account, value: Any) -> Any:
        if value in (None, "") and blank:
            return None
        found = account.find(kind, int(value)) if str(value).isdigit() else None
        if found is None or found.get("active") is False or (agent and found["role"] == "end-user"):
            raise ValueRefused(f"{words}: is not valid")
        return found["id"]

    return accept


def _time(_account: Account, value: Any) -> Any:
    if value in (None, ""):
        return None
    try:
        return moment_of(str(value)) and str(value)
    except ValueError:
        raise ValueRefused("Due at: is not a valid date") from None


def _ids(_account: Account, value: Any) -> Any:
    return [int(part) for part in value if str(part).isdigit()][:48] if isinstance(value, list) else []


# what is not in this table (id, url, created_at, description, via, whatever else) is ignored on update
PROPERTIES: dict[str, Acceptor] = {
    "subject": _short_text("Subject"),
    "raw_subject": _short_text("Subject"),
    "status": _one_of("Status", STATUSES, blank=False),
    "priority": _one_of("Priority", PRIORITIES),
    "type": _one_of("Type", TYPES),
    "requester_id": _record("Requester", "users", blank=False),
    "assignee_id": _record("Assignee", "users", agent=True),
    "group_id": _record("Group", "groups"),
    "organization_id": _record("Organization", "organizations"),
    "external_id": _short_text("External"),
    "due_at": _time,
    "problem_id": _record("Problem", "tickets"),
    "ticket_form_id": _record("Ticket form", "ticket_forms"),
    "brand_id": lambda _account, value: value,
    "collaborator_ids": _ids,
    "follower_ids": _ids,
    "email_cc_ids": _ids,
}
KEPT_AS = {"raw_subject": "subject"}


def write_properties(account: Account, draft: Record, change: Record, problems: dict[str, list[Record]]) -> None:
    """Put accepted properties into the draft and refusals into the problems."""
    for name, value in translate_aliases(account, change).items():
        if name not in PROPERTIES:
            continue
        try:
            draft[KEPT_AS.get(name, name)] = PROPERTIES[name](account, value)
        except ValueRefused as refusal:
            problems.setdefault(name, []).append({"description": str(refusal), "error": "InvalidValue"})
    follow_up_effects(account, draft, change)


def translate_aliases(account: Account, change: Record) -> Record:
    """`assignee_email` and `custom_status_id` as the properties they stand for."""
    result = dict(change)
    if "assignee_email" in change:
        found = [user["id"] for user in account.table("users").values() if user["email"] == change["assignee_email"]]
        result["assignee_id"] = found[0] if found else "unknown"
    if "custom_status_id" in change and "status" not in change:
        names = {key: status for status, key in status_ids(account).items() if status != "closed"}
        result["status"] = names.get(change["custom_status_id"], change["custom_status_id"])
    return result


def follow_up_effects(account: Account, draft: Record, change: Record) -> None:
    """An assigned ticket is no longer new and has its agent's group."""
    assignee = account.find("users", draft["assignee_id"])
    if assignee is None:
        return
    if draft["status"] == "new" and "status" not in change:
        draft["status"] = "open"
    if draft["group_id"] is None:
        draft["group_id"] = assignee["default_group_id"]
