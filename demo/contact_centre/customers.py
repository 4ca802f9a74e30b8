"""Who calls and writes: the demo Zendesk's own users and tickets when it can be asked, else people without records."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

CLOSED = "closed"
OPEN_STATES = frozenset({"new", "open", "pending", "hold"})
# What some people call themselves in a chat; their customer card in Zendesk follows (Customer Name → the user's Name).
NAMES_ON_CARDS = {
    "Kim Nguyen": "Kim-Anh Nguyen",
    "Luc Beaulieu": "Jean-Luc Beaulieu",
    "Grace O’Connor": "Grace O’Connor-Walsh",
    "Chloé Ouellet": "Chloé Ouellet-Dion",
    "Lucas Reid": "Lucas A. Reid",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who contacts us; `user_id` and the ticket ids are empty for people the CRM does not know."""

    name: str
    email: str
    phone: str
    is_french: bool
    user_id: str = ""
    open_tickets: tuple[str, ...] = ()
    closed_tickets: tuple[str, ...] = ()

    @property
    def is_without_open_ticket(self) -> bool:
        """Whether a call is about something new."""
        return not self.open_tickets

    @property
    def name_on_card(self) -> str:
        """The name as the contact centre's customer card has it."""
        return NAMES_ON_CARDS.get(self.name, self.name)


STRANGERS = (
    Customer("Geneviève Bouchard", "genevieve.bouchard@mail.example", "+15145550111", is_french=True),
    Customer("Liam Thompson", "liam.thompson@mail.example", "+14165550122", is_french=False),
    Customer("Étienne Lavoie", "etienne.lavoie@mail.example", "+15145550133", is_french=True),
    Customer("Hannah Stewart", "hannah.stewart@mail.example", "+16045550144", is_french=False),
)


@dataclass(frozen=True, slots=True)
class CustomerBook:
    """The people to choose from. What a scenario needs and nobody has is given up: it is played without records."""

    customers: tuple[Customer, ...] = STRANGERS

    def choose(self, chance: random.Random, *, wants: str = "open_tickets") -> Customer:
        """Somebody of whom `wants` is true (`open_tickets`, `closed_tickets` …) if there is anybody, else anybody."""
        fitting = [customer for customer in self.customers if getattr(customer, wants)]
        return chance.choice(fitting or list(self.customers))

    def narrow_to(self, ticket_id: str) -> "CustomerBook":
        """Only this ticket's requester with only this ticket; somebody with it when no requester is known."""
        owner = next((each for each in self.customers if ticket_id in each.open_tickets), self.customers[0])
        return CustomerBook((replace(owner, open_tickets=(ticket_id,)),))


def build_book(users: Iterable[Mapping[str, Any]], tickets: Iterable[Mapping[str, Any]]) -> CustomerBook:
    """The book of the CRM's end users, with the tickets they requested; the strangers when there are no users."""
    opened: dict[Any, list[str]] = defaultdict(list)
    closed: dict[Any, list[str]] = defaultdict(list)
    for ticket in tickets:
        if ticket.get("status") in OPEN_STATES:
            opened[ticket.get("requester_id")].append(str(ticket["id"]))
        elif ticket.get("status") == CLOSED:
            closed[ticket.get("requester_id")].append(str(ticket["id"]))
    customers = tuple(
        Customer(
            name=str(user["name"]),
            email=str(user.get("email") or ""),
            phone=str(user.get("phone") or ""),
            is_french=str(user.get("locale") or "").startswith("fr"),
            user_id=str(user["id"]),
            open_tickets=tuple(opened[user["id"]]),
            closed_tickets=tuple(closed[user["id"]]),
        )
        for user in users
        if user.get("role") == "end-user" and user.get("active", True)
    )
    return CustomerBook(customers) if customers else CustomerBook()
