"""Two custom objects with fields and records: devices and contracts."""

import random
from datetime import datetime, timedelta
from typing import Any

from demo.zendesk.custom_objects import blank_record, new_record_id
from demo.zendesk.seed_fields import base_field, with_options
from demo.zendesk.state import Account, stamp

OBJECTS = (
    ("device", "Device", "Devices", "What customers have at home or at work"),
    ("contract", "Contract", "Contracts", "What customers signed"),
)
CONDITIONS = [("New", "new"), ("Good", "good"), ("Worn", "worn"), ("Broken", "broken")]
ACCESSORIES = [("Charger", "charger"), ("Case", "case"), ("Remote", "remote")]
TERMS = [("Monthly", "monthly"), ("One year", "one_year"), ("Two years", "two_years")]
OWNER = {"relationship_target_type": "zen:user"}
COMPANY = {"relationship_target_type": "zen:organization"}
FieldRow = tuple[str, str, str, dict[str, Any]]
FIELDS: dict[str, tuple[FieldRow, ...]] = {
    "device": (
        ("model", "Model", "text", {}),
        ("serial_number", "Serial number", "regexp", {"regexp_for_validation": r"^SN\d{8}$"}),
        ("purchase_date", "Purchase date", "date", {}),
        ("under_warranty", "Under warranty", "checkbox", {}),
        ("condition", "Condition", "dropdown", {"options": CONDITIONS}),
        ("storage_gb", "Storage (GB)", "integer", {}),
        ("price", "Price", "decimal", {}),
        ("accessories", "Accessories", "multiselect", {"options": ACCESSORIES}),
        ("owner", "Owner", "lookup", OWNER),
        ("support_notes", "Support notes", "textarea", {}),
        ("last_contact_id", "Last contact ID", "text", {}),
        ("last_contact_date", "Last contact date", "date", {}),
        ("old_label", "Old label", "text", {"active": False}),
    ),
    "contract": (
        ("term", "Term", "dropdown", {"options": TERMS}),
        ("monthly_amount", "Monthly amount", "decimal", {}),
        ("starts_on", "Starts on", "date", {}),
        ("ends_on", "Ends on", "date", {}),
        ("renews", "Renews by itself", "checkbox", {}),
        ("company", "Company", "lookup", COMPANY),
        ("signed_by", "Signed by", "text", {}),
        ("reference", "Reference", "regexp", {"regexp_for_validation": r"^CT-\d{5}$"}),
        ("devices_count", "Devices", "integer", {"readonly": True}),
        ("last_agent", "Last agent", "text", {}),
        ("retention_notes", "Retention notes", "textarea", {}),
    ),
}
MODELS = (
    "Modem Aurora 3",
    "Routeur Boréal",
    "Set-top box TV4",
    "Phone Lumen 12",
    "Phone Lumen 14",
    "Caméra Sentinelle",
)
DEVICES = 30
CONTRACTS = 16


def seed_objects(account: Account, chance: random.Random, now: datetime) -> None:
    """Objects, fields, records."""
    admin = account.setting("system_user_id", 0)
    at = {"created_at": stamp(now), "updated_at": stamp(now)}
    for key, title, plural, description in OBJECTS:
        names: dict[str, Any] = {
            "title": title,
            "raw_title": title,
            "title_pluralized": plural,
            "raw_title_pluralized": plural,
        }
        record = {"key": key, **names, "description": description, "raw_description": description}
        record |= {"include_in_list_view": True, "created_by_user_id": str(admin), "updated_by_user_id": str(admin)}
        account.put("custom_objects", key, {**record, **at})
        seed_object_fields(account, now, key)
    for number in range(DEVICES):
        seed_device(account, chance, now, number)
    for number in range(CONTRACTS):
        seed_contract(account, chance, now, number)


def seed_object_fields(account: Account, now: datetime, object_key: str) -> None:
    """The two standard fields, then the object's own."""
    standard: tuple[FieldRow, ...] = (
        ("standard::name", "Name", "text", {"required": True}),
        ("standard::external_id", "External ID", "text", {}),
    )
    for position, (key, title, kind, extra) in enumerate((*standard, *FIELDS[object_key])):
        field_id = account.new_id("custom_object_fields")
        field = {**base_field(field_id, title, kind, position, now), "key": key, "custom_object_key": object_key}
        field |= {"system": False, "required": False, "readonly": False, "tag": None, "properties": {}}
        account.put("custom_object_fields", field_id, with_options(account, field, extra))


def seed_device(account: Account, chance: random.Random, now: datetime, number: int) -> None:
    """A device of some customer."""
    owners = [user["id"] for user in account.table("users").values() if user["role"] == "end-user"]
    bought = now - timedelta(days=chance.randint(10, 900))
    model = MODELS[number % len(MODELS)]
    values = {
        "model": model,
        "serial_number": f"SN{10_000_000 + number * 137:08d}",
        "purchase_date": f"{bought:%Y-%m-%d}T00:00:00+00:00",
        "under_warranty": (now - bought).days < 365,
        "condition": chance.choice(CONDITIONS)[1],
        "storage_gb": chance.choice((16, 64, 128)),
        "price": round(chance.uniform(60, 1400), 2),
        "owner": str(owners[number % len(owners)]),
    }
    add_record(account, chance, now, "device", f"{model} #{number + 1:03d}", f"DEV-{3000 + number}", values)


def seed_contract(account: Account, chance: random.Random, now: datetime, number: int) -> None:
    """A contract of some organization."""
    companies = list(account.table("organizations").values())
    company = companies[number % len(companies)]
    begun = now - timedelta(days=chance.randint(10, 700))
    values = {
        "term": chance.choice(TERMS)[1],
        "monthly_amount": round(chance.uniform(40, 3000), 2),
        "starts_on": f"{begun:%Y-%m-%d}T00:00:00+00:00",
        "ends_on": f"{begun + timedelta(days=730):%Y-%m-%d}T00:00:00+00:00",
        "renews": chance.random() < 0.5,
        "company": str(company["id"]),
        "reference": f"CT-{40_000 + number:05d}",
        "devices_count": chance.randint(1, 40),
    }
    add_record(account, chance, now, "contract", f"{company['name']} {number + 1}", f"CON-{4000 + number}", values)


def add_record(
    account: Account,
    chance: random.Random,
    now: datetime,
    key: str,
    name: str,
    external_id: str,
    values: dict[str, Any],
) -> None:
    """Keep one record."""
    created = now - timedelta(days=chance.randint(1, 300))
    record_id = new_record_id(created.timestamp(), chance.getrandbits(80))
    record = blank_record(key, record_id, stamp(created), account.setting("system_user_id", 0))
    account.put(
        "custom_object_records",
        record_id,
        record | {"name": name, "external_id": external_id, "custom_object_fields": values},
    )
