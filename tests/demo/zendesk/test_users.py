"""Users and organizations: fields by key, identities, uniqueness, search."""

import pytest

NAME = "Liam Thompson"


def put_user(desk, user_id, **change):
    desk.control("POST", "limits", {"enabled": False})
    return desk.call("PUT", f"users/{user_id}", {"user": change})


def test_a_user_field_date_reads_back_with_its_midnight(desk):
    key = desk.user(NAME)["id"]
    fields = {"last_call": "2026-11-20", "last_agent": "Priya", "calls_this_year": "7", "no_such_key": 1}
    answer = put_user(desk, key, user_fields=fields, details="VIP")
    values = answer.get_json()["user"]["user_fields"]
    assert values["last_call"] == "2026-11-20T00:00:00+00:00"
    assert values["calls_this_year"] == 7
    assert "no_such_key" not in values
    assert values["last_skill"] is None
    assert "old_crm_id" not in values


@pytest.mark.parametrize(
    ("key", "value"),
    [("loyalty_level", "Diamond"), ("last_call", "soon"), ("member_number", "12"), ("calls_this_year", "x")],
)
def test_a_wrong_user_value_is_refused_by_key(desk, key, value):
    user_id = desk.user(NAME)["id"]
    answer = put_user(desk, user_id, details="not written", user_fields={key: value})
    assert answer.status_code == 422
    assert key in answer.get_json()["details"]
    assert desk.get(f"users/{user_id}")["user"]["details"] == ""


def test_a_dropdown_of_a_user_exchanges_its_tag(desk):
    user = desk.user(NAME)
    answer = put_user(desk, user["id"], user_fields={"loyalty_level": "loyalty_gold"})
    assert [tag for tag in answer.get_json()["user"]["tags"] if tag.startswith("loyalty")] == ["loyalty_gold"]


def test_a_second_address_is_added_and_the_first_stays(desk):
    user = desk.user(NAME)
    assert put_user(desk, user["id"], email="liam@second.example").get_json()["user"]["email"] == user["email"]
    addresses = [one["value"] for one in desk.get(f"users/{user['id']}/identities")["identities"]]
    assert "liam@second.example" in addresses
    taken = put_user(desk, user["id"], email=desk.user("Noah Campbell")["email"])
    assert taken.get_json()["details"]["email"][0]["error"] == "DuplicateValue"


def test_a_number_of_somebody_else_becomes_a_shared_number(desk):
    other = desk.user("Noah Campbell")
    user = put_user(desk, desk.user(NAME)["id"], phone=other["phone"]).get_json()["user"]
    assert (user["phone"], user["shared_phone_number"]) == (other["phone"], True)


def test_a_user_is_created_with_a_name(desk):
    desk.control("POST", "limits", {"enabled": False})
    assert desk.call("POST", "users", {"user": {"email": "x@y.example"}}).status_code == 422
    made = desk.call("POST", "users", {"user": {"name": "Zoé", "email": "zoe@y.example", "phone": "+15145550000"}})
    assert made.status_code == 201
    key = made.get_json()["user"]["id"]
    assert desk.get("users/search?query=phone:%22%2B15145550000%22")["users"][0]["id"] == key
    assert desk.get("users/search?query=email:zoe@y.example role:end-user")["count"] == 1


def test_users_are_found_by_phone_address_external_id_and_name(desk):
    user = desk.user(NAME)
    digits = user["phone"].removeprefix("+")
    for query in (f"phone:{digits}", f"phone:*{digits[-7:]}", f'email:"{user["email"]}"', "Thomp"):
        found = desk.get(f"users/search?query={query}")["users"]
        assert user["id"] in [one["id"] for one in found], query
    assert desk.get(f"users/search?external_id={user['external_id']}")["users"][0]["id"] == user["id"]
    assert desk.get("users/autocomplete?name=lia")["users"][0]["id"] == user["id"]


def test_a_second_number_is_found_and_a_typed_one_is_not(desk):
    second = desk.user("Geneviève Bouchard")
    assert desk.get("users/search?query=phone:14385552000")["users"][0]["id"] == second["id"]
    assert desk.user("Sophie Pelletier")["phone"].startswith("+")
    assert desk.get("users/search?query=phone:15145550199")["count"] == 0


def test_a_deleted_user_is_shown_as_inactive(desk):
    key = desk.user(NAME)["id"]
    desk.control("POST", f"users/{key}", {"action": "delete"})
    assert desk.get(f"users/{key}")["user"]["active"] is False
    assert desk.get(f"users/show_many?ids={key}")["users"] == []
    assert put_user(desk, key, notes="x").status_code == 404


def test_organizations_refuse_a_wrong_option_and_a_taken_name(desk):
    first, second = desk.get("organizations")["organizations"][:2]
    wrong = desk.call("PUT", f"organizations/{first['id']}", {"organization": {"organization_fields": {"plan": "x"}}})
    assert "plan" in wrong.get_json()["details"]
    taken = desk.call("PUT", f"organizations/{first['id']}", {"organization": {"name": second["name"].upper()}})
    assert "has already been taken" in taken.get_json()["details"]["name"][0]["description"]
    right = desk.call(
        "PUT", f"organizations/{first['id']}", {"organization": {"organization_fields": {"plan": "gold"}}}
    )
    assert right.get_json()["organization"]["organization_fields"]["plan"] == "gold"
    assert "gold" in right.get_json()["organization"]["tags"]
    assert desk.get(f"organizations/search?name={second['name'].lower()}")["organizations"][0]["id"] == second["id"]


def test_user_and_organization_tags_are_added(desk):
    key = desk.user(NAME)["id"]
    assert "called_today" in desk.call("PUT", f"users/{key}/tags", {"tags": ["Called today"]}).get_json()["tags"]
    organization = desk.get("organizations")["organizations"][0]
    answer = desk.call("PUT", f"organizations/{organization['id']}/tags", {"tags": ["x"]})
    assert set(answer.get_json()["tags"]) == {*organization["tags"], "x"}


def test_a_merged_user_is_a_deleted_one_and_the_other_has_everything(desk):
    winner = desk.call("POST", "users", {"user": {"name": "Winner", "phone": "+15145550901"}}).get_json()["user"]
    loser = desk.user(desk.get(f"users/{desk.get('tickets/2')['ticket']['requester_id']}")["user"]["name"])
    desk.control("POST", f"users/{loser['id']}", {"action": "merge", "into": winner["id"]})
    assert desk.get("tickets/2")["ticket"]["requester_id"] == winner["id"]
    assert desk.get(f"users/{loser['id']}")["user"]["active"] is False
    addresses = {identity["value"] for identity in desk.get(f"users/{winner['id']}/identities")["identities"]}
    assert loser["email"] in addresses
    found = desk.get(f'users/search?query=email:"{loser["email"]}"')["users"]
    assert [user["id"] for user in found] == [winner["id"]]


def test_the_requester_a_ticket_brings_along_is_found_by_address(desk):
    person = {"name": "Fresh", "email": "fresh@example.com"}
    answer = desk.call("POST", "tickets", {"ticket": {"comment": {"body": "x"}, "requester": person}})
    requester = answer.get_json()["ticket"]["requester_id"]
    found = desk.get('users/search?query=email:"fresh@example.com"')["users"]
    assert [user["id"] for user in found] == [requester]
