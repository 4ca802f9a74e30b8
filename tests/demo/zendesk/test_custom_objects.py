"""Custom objects: definitions and records."""

RECORDS = "custom_objects/device/records"


def first(desk):
    return desk.get(f"{RECORDS}?page[size]=1")["custom_object_records"][0]


def test_objects_and_their_fields_are_listed(desk):
    assert [one["key"] for one in desk.get("custom_objects")["custom_objects"]] == ["device", "contract"]
    plain = desk.get("custom_objects/device/fields")["custom_object_fields"]
    full = desk.get("custom_objects/device/fields?include_standard_fields=true")["custom_object_fields"]
    assert [field["key"] for field in full[:2]] == ["standard::name", "standard::external_id"]
    assert len(full) == len(plain) + 2
    missing = desk.call("GET", "custom_objects/ship/fields")
    assert missing.get_json()["errors"][0]["code"] == "CustomObjectNotFound"


def test_a_record_is_changed_field_by_field(desk):
    record = first(desk)
    change = {"custom_object_fields": {"condition": "broken", "last_contact_date": "2026-11-20", "nonsense": 1}}
    answer = desk.call("PATCH", f"{RECORDS}/{record['id']}", {"custom_object_record": change})
    values = answer.get_json()["custom_object_record"]["custom_object_fields"]
    assert (values["condition"], values["last_contact_date"]) == ("broken", "2026-11-20T00:00:00+00:00")
    assert values["model"] == record["custom_object_fields"]["model"]
    assert "nonsense" not in values


def test_a_wrong_option_is_refused_in_the_errors_envelope(desk):
    change = {"custom_object_fields": {"condition": "sparkling"}}
    answer = desk.call("PATCH", f"{RECORDS}/{first(desk)['id']}", {"custom_object_record": change})
    assert answer.status_code == 422
    assert "condition" in answer.get_json()["errors"][0]["title"].lower()


def test_records_are_created_found_and_upserted(desk):
    change = {"name": "Kiosque", "custom_object_fields": {"model": "Borne 9"}}
    made = desk.call("POST", RECORDS, {"custom_object_record": change})
    assert made.status_code == 201
    key = made.get_json()["custom_object_record"]["id"]
    assert desk.get(f"{RECORDS}/search?query=kios")["custom_object_records"][0]["id"] == key
    wanted = {"filter": {"custom_object_fields.model": {"$eq": "Borne 9"}}}
    filtered = desk.call("POST", f"{RECORDS}/search", wanted).get_json()["custom_object_records"]
    assert [record["id"] for record in filtered] == [key]
    body = {"custom_object_record": {"name": "Kiosque 2"}}
    assert desk.call("PATCH", f"{RECORDS}?external_id=KQ-1", body).status_code == 201
    assert desk.call("PATCH", f"{RECORDS}?external_id=KQ-1", body).status_code == 200
    assert desk.get(f"{RECORDS}?filter[external_ids]=KQ-1")["custom_object_records"][0]["name"] == "Kiosque 2"


def test_a_record_of_another_object_is_not_found(desk):
    assert desk.call("GET", f"custom_objects/contract/records/{first(desk)['id']}").status_code == 404
