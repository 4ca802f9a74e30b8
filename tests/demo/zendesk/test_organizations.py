"""Organizations are created, and their external ids are theirs alone."""


def test_an_organization_is_created_once_for_an_external_id(desk):
    made = desk.call("POST", "organizations", {"organization": {"name": "Nouvelle", "external_id": "org-1"}})
    assert made.status_code == 201
    assert desk.get("organizations/show_many?external_ids=ORG-1")["organizations"][0]["name"] == "Nouvelle"
    again = desk.call("POST", "organizations", {"organization": {"name": "Autre", "external_id": "org-1"}})
    assert (again.status_code, list(again.get_json()["details"])) == (422, ["external_id"])
    nameless = desk.call("POST", "organizations", {"organization": {"external_id": "org-2"}})
    assert nameless.status_code == 422


def test_a_record_of_a_custom_object_keeps_its_external_id_to_itself(desk):
    key = desk.get("custom_objects")["custom_objects"][0]["key"]
    path = f"custom_objects/{key}/records"
    body = {"custom_object_record": {"name": "One", "external_id": "obj-1"}}
    assert desk.call("POST", path, body).status_code == 201
    assert desk.call("POST", path, body).status_code == 422
    assert desk.call("PATCH", f"{path}?external_id=obj-1", body).status_code == 200
