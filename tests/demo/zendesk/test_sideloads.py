"""What goes along with records when `include=` asks for it."""


def test_tickets_bring_their_people_groups_and_organizations(desk):
    tickets = desk.get("tickets/show_many?ids=1,2,3&include=users,groups,organizations,planets")
    people = {user["id"] for user in tickets["users"]}
    assert {ticket["requester_id"] for ticket in tickets["tickets"]} <= people
    named = {ticket["organization_id"] for ticket in tickets["tickets"]} - {None}
    assert {organization["id"] for organization in tickets["organizations"]} == named
    assert all(group["name"] for group in tickets["groups"])
    assert "planets" not in tickets
    assert "users" not in desk.get("tickets/show_many?ids=1,2,3")


def test_lists_and_single_tickets_bring_them_too(desk):
    requester = desk.get("tickets/2?include=users")["users"][0]["id"]
    listed = desk.get(f"users/{requester}/tickets/requested?sort=-updated_at&page[size]=5&include=users")
    assert requester in {user["id"] for user in listed["users"]}


def test_users_bring_their_identities(desk):
    requester = desk.get("tickets/2")["ticket"]["requester_id"]
    shown = desk.get(f"users/show_many?ids={requester}&include=identities,organizations")
    kinds = {identity["type"] for identity in shown["identities"]}
    assert kinds <= {"email", "phone_number"} and kinds
    only = desk.get(f"users/{requester}/identities?type[]=email")["identities"]
    assert {identity["type"] for identity in only} == {"email"}
