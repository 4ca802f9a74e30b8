"""Custom objects: their definitions, and records shown, listed, searched, created and changed."""

import secrets
import time
from typing import Any

from demo.zendesk.field_values import DROPPED, accept_value
from demo.zendesk.paging import cursor_reply
from demo.zendesk.replies import ApiError, Call, Reply, ValueRefused, listed, parameter_missing, required_body
from demo.zendesk.rights import require_object_access
from demo.zendesk.state import Account, Record, differences, stamp

NAME_MOST = 255
TEXT_TYPES = ("text", "textarea", "regexp")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SORTS = ("id", "name", "created_at", "updated_at")


def new_record_id(at_s: float | None = None, chance: int | None = None) -> str:
    """A ULID: 26 characters, in order of time."""
    number = int((at_s if at_s is not None else time.time()) * 1000) << 80
    number |= secrets.randbits(80) if chance is None else chance
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))


def object_missing() -> ApiError:
    """No such custom object."""
    return listed(404, "CustomObjectNotFound", "Custom object not found")


def find_object(call: Call, *, writing: bool = False) -> Record:
    """The custom object in the path."""
    require_object_access(call.actor, writing=writing)
    found = call.account.find("custom_objects", call.params["key"])
    if found is None:
        raise object_missing()
    return found


def fields_of(account: Account, key: str) -> list[Record]:
    """The fields of an object by position, standard ones first."""
    fields = [field for field in account.table("custom_object_fields").values() if field["custom_object_key"] == key]
    return sorted(fields, key=lambda field: field["position"])


def list_objects(call: Call) -> Reply:
    """`GET custom_objects`."""
    require_object_access(call.actor, writing=False)
    base = f"{call.base_url}/api/v2/custom_objects"
    shown = [{**record, "url": f"{base}/{key}"} for key, record in call.account.table("custom_objects").items()]
    return Reply({"custom_objects": shown})


def show_object(call: Call) -> Reply:
    """`GET custom_objects/{key}`."""
    return Reply({"custom_object": find_object(call)})


def list_fields(call: Call) -> Reply:
    """`GET custom_objects/{key}/fields`, with `include_standard_fields=true` also name and external id."""
    find_object(call)
    has_standard = call.args.get("include_standard_fields") == "true"
    fields = [
        {name: value for name, value in field.items() if name != "custom_object_key"}
        for field in fields_of(call.account, call.params["key"])
        if has_standard or not field["key"].startswith("standard::")
    ]
    if any(name.startswith("page[") for name in call.args):
        return cursor_reply(call, "custom_object_fields", fields, dict)
    return Reply({"custom_object_fields": fields, "count": len(fields)})


def render_record(account: Account, record: Record, base_url: str) -> Record:
    """A record with every active field, unset ones as null."""
    fields = fields_of(account, record["custom_object_key"])
    shown = {
        field["key"]: record["custom_object_fields"].get(field["key"])
        for field in fields
        if field["active"] and not field["key"].startswith("standard::")
    }
    url = f"{base_url}/api/v2/custom_objects/{record['custom_object_key']}/records/{record['id']}.json"
    return {**record, "url": url, "custom_object_fields": shown, "photo": None}


def records_of(account: Account, key: str) -> list[Record]:
    """All records of an object."""
    return [record for record in account.table("custom_object_records").values() if record["custom_object_key"] == key]


def found_record(call: Call, *, writing: bool = False) -> Record:
    """The record in the path."""
    find_object(call, writing=writing)
    record = call.account.find("custom_object_records", call.params["record"])
    if record is None or record["custom_object_key"] != call.params["key"]:
        raise listed(404, "RecordNotFound", "Custom object record not found")
    return record


def show_record(call: Call) -> Reply:
    """`GET custom_objects/{key}/records/{id}`."""
    return _answer(call, found_record(call))


def list_records(call: Call) -> Reply:
    """`GET custom_objects/{key}/records`, optionally `filter[ids]` or `filter[external_ids]`."""
    find_object(call)
    records = records_of(call.account, call.params["key"])
    for name, property_name in (("filter[ids]", "id"), ("filter[external_ids]", "external_id")):
        if name in call.args:
            wanted = set(call.args[name].split(","))
            records = [record for record in records if record[property_name] in wanted]
    return _list(call, records)


def search_records(call: Call) -> Reply:
    """`GET …/records/search?query=`: the beginning of any word in names and text fields."""
    find_object(call)
    return _list(call, _mentioning(call, records_of(call.account, call.params["key"])))


def filter_records(call: Call) -> Reply:
    """`POST …/records/search` with {"filter": {"custom_object_fields.k": {"$eq": v}}}, `$and` and `$or`."""
    find_object(call)
    wanted = call.body.get("filter") or {}
    found = [record for record in records_of(call.account, call.params["key"]) if _passes(record, wanted)]
    return _list(call, _mentioning(call, found) if "query" in call.args else found)


def create_record(call: Call) -> Reply:
    """`POST custom_objects/{key}/records`."""
    find_object(call, writing=True)
    change = required_body(call, "custom_object_record")
    return Reply(_answer(call, insert_record(call, change)).body, 201)


def update_record(call: Call) -> Reply:
    """`PATCH custom_objects/{key}/records/{id}`."""
    record = found_record(call, writing=True)
    return _answer(call, change_record(call, record, required_body(call, "custom_object_record")))


def upsert_record(call: Call) -> Reply:
    """`PATCH custom_objects/{key}/records?external_id=`."""
    find_object(call, writing=True)
    external_id = call.args.get("external_id")
    if not external_id:
        raise parameter_missing("external_id")
    change = required_body(call, "custom_object_record")
    for record in records_of(call.account, call.params["key"]):
        if (record["external_id"] or "").lower() == external_id.lower():
            return _answer(call, change_record(call, record, change))
    created = insert_record(call, {**change, "external_id": external_id})
    return Reply(_answer(call, created).body, 201)


def blank_record(key: str, record_id: str, at: str, user_id: int) -> Record:
    """A new record."""
    who = str(user_id)
    return {
        "id": record_id,
        "custom_object_key": key,
        "name": "",
        "external_id": None,
        "custom_object_fields": {},
        "created_by_user_id": who,
        "updated_by_user_id": who,
        "created_at": at,
        "updated_at": at,
    }


def insert_record(call: Call, change: Record) -> Record:
    """A new record with its values."""
    at = stamp(call.now)
    blank = blank_record(call.params["key"], new_record_id(call.now.timestamp()), at, call.actor["id"])
    return change_record(call, blank, change, is_new=True)


def change_record(call: Call, record: Record, change: Record, *, is_new: bool = False) -> Record:
    """Apply a change, all or nothing; unknown keys are ignored. Raises ApiError in the `errors` envelope."""
    draft = {**record, "custom_object_fields": dict(record["custom_object_fields"])}
    problems = write_values(call.account, draft, change.get("custom_object_fields"))
    name = str(change.get("name", draft["name"]) or "")
    if not name.strip() or len(name) > NAME_MOST:
        problems.append("Name: is too short or too long")
    external_id = change.get("external_id", draft["external_id"])
    if external_id and "external_id" in change and is_taken(call.account, draft, str(external_id)):
        problems.append("External ID: has already been taken")
    if problems:
        errors = [{"code": "RecordInvalid", "status": "422", "title": words} for words in problems]
        raise ApiError(422, {"errors": errors})
    draft |= {"name": name, "external_id": str(external_id) if external_id else None}
    return keep_record(call, record, draft, change, is_new=is_new)


def is_taken(account: Account, draft: Record, external_id: str) -> bool:
    """Does another record of the object have this external id?"""
    others = (record for record in records_of(account, draft["custom_object_key"]) if record["id"] != draft["id"])
    return any((record["external_id"] or "").lower() == external_id.lower() for record in others)


def write_values(account: Account, draft: Record, given: Any) -> list[str]:
    """Accepted values go into the draft; returns the refusals."""
    problems: list[str] = []
    for field in fields_of(account, draft["custom_object_key"]):
        if not isinstance(given, dict) or field["key"] not in given or not field["active"]:
            continue
        try:
            value = accept_value(account, field, given[field["key"]], on_ticket=False)
        except ValueRefused as refusal:
            problems.append(str(refusal))
            continue
        if value is not DROPPED:
            draft["custom_object_fields"][field["key"]] = value
    return problems


def keep_record(call: Call, before: Record, draft: Record, change: Record, *, is_new: bool) -> Record:
    """Store the record, the log entry and the feed entry."""
    names = [name for name in change if name != "custom_object_fields"]
    names += [f"custom_object_fields.{key}" for key in change.get("custom_object_fields") or {}]
    written = _flat(draft)
    fields = differences(_flat(before), written)
    if fields or is_new:
        draft |= {"updated_at": stamp(call.now), "updated_by_user_id": str(call.actor["id"])}
    call.account.put("custom_object_records", draft["id"], draft)
    kind = f"custom_objects/{draft['custom_object_key']}"
    call.note_write(kind, draft["id"], names, {name: written.get(name) for name in names})
    if is_new:
        fields = [{"field": "record", "before": None, "after": "created"}]
    if fields:
        who = {"actor": call.actor["name"], "label": draft["name"]}
        call.account.note_change(at=call.now, kind=kind, key=draft["id"], fields=fields, **who)
    return draft


def _answer(call: Call, record: Record) -> Reply:
    return Reply({"custom_object_record": render_record(call.account, record, call.base_url)})


def _list(call: Call, records: list[Record]) -> Reply:
    return cursor_reply(
        call,
        "custom_object_records",
        records,
        lambda record: render_record(call.account, record, call.base_url),
        sorts=SORTS,
    )


def _mentioning(call: Call, records: list[Record]) -> list[Record]:
    words = call.args.get("query", "").lower().split()
    texts = [field["key"] for field in fields_of(call.account, call.params["key"]) if field["type"] in TEXT_TYPES]
    return [
        record for record in records if any(part.startswith(word) for word in words for part in _words(record, texts))
    ]


def _words(record: Record, keys: list[str]) -> list[str]:
    texts = [record["name"], record["external_id"] or ""]
    texts += [str(record["custom_object_fields"].get(key) or "") for key in keys]
    return " ".join(texts).lower().split()


def _passes(record: Record, wanted: Any) -> bool:
    for name, rule in wanted.items():
        if name in ("$and", "$or"):
            results = [_passes(record, part) for part in rule]
            if not (all(results) if name == "$and" else any(results)):
                return False
            continue
        holder, _, key = name.rpartition(".")
        value = record["custom_object_fields"].get(key) if holder else record.get(key)
        if not all(_holds(value, operator, other) for operator, other in rule.items()):
            return False
    return True


def _holds(value: Any, operator: str, other: Any) -> bool:
    if operator in ("$eq", "$noteq"):
        return (str(value).lower() == str(other).lower()) is (operator == "$eq")
    if operator in ("$in", "$nin"):
        return (value in other) is (operator == "$in")
    have, want = str(value or ""), str(other)
    orders = {"$gt": have > want, "$lt": have < want, "$gte": have >= want, "$lte": have <= want}
    return {**orders, "$contains": want in have}.get(operator, False)


def _flat(record: Record) -> Record:
    keyed = {f"custom_object_fields.{key}": value for key, value in record["custom_object_fields"].items()}
    kept = {name: value for name, value in record.items() if name not in ("custom_object_fields", "updated_at")}
    return kept | keyed
