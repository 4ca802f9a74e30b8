from demo.contact_centre.customers import STRANGERS, CustomerBook, build_book

USERS = [
    {
        "id": 1,
        "name": "Zoé Lapointe",
        "role": "end-user",
        "active": True,
        "locale": "fr-CA",
        "email": "z@x",
        "phone": None,
    },
    {
        "id": 2,
        "name": "Lucas Reid",
        "role": "end-user",
        "active": True,
        "locale": "en-CA",
        "email": None,
        "phone": "+1",
    },
    {"id": 3, "name": "Agent", "role": "agent", "active": True, "locale": "en-CA"},
    {"id": 4, "name": "Gone", "role": "end-user", "active": False, "locale": "en-CA"},
]
TICKETS = [
    {"id": 10, "requester_id": 1, "status": "open"},
    {"id": 11, "requester_id": 1, "status": "closed"},
    {"id": 12, "requester_id": 2, "status": "solved"},
]


def test_the_book_has_the_end_users_with_the_tickets_they_requested():
    book = build_book(USERS, TICKETS)
    assert [each.name for each in book.customers] == ["Zoé Lapointe", "Lucas Reid"]
    zoe, lucas = book.customers
    assert (zoe.user_id, zoe.is_french, zoe.open_tickets, zoe.closed_tickets) == ("1", True, ("10",), ("11",))
    assert (lucas.is_french, lucas.open_tickets, lucas.closed_tickets) == (False, (), ())


def test_without_users_strangers_call():
    assert build_book([], TICKETS).customers == STRANGERS


def test_a_book_narrowed_to_a_ticket_has_its_requester_only():
    narrowed = build_book(USERS, TICKETS).narrow_to("10")
    assert [(each.name, each.open_tickets) for each in narrowed.customers] == [("Zoé Lapointe", ("10",))]


def test_a_ticket_of_nobody_known_is_used_as_it_is():
    assert CustomerBook().narrow_to("99").customers[0].open_tickets == ("99",)


def test_a_name_on_the_card_stays_once_the_crm_has_it():
    kim = build_book([USERS[1] | {"name": "Kim Nguyen"}], []).customers[0]
    renamed = build_book([USERS[1] | {"name": kim.name_on_card}], []).customers[0]
    assert kim.name_on_card == renamed.name_on_card == "Kim-Anh Nguyen"
