"""About eighty tickets in every state, with comments and history."""

import random
from datetime import datetime, timedelta

from demo.zendesk.audits import add_audit, change_events, comment_event
from demo.zendesk.seed_field_tables import DISPOSITION, PRODUCTS
from demo.zendesk.seed_fields import field_id
from demo.zendesk.state import Account, Record, stamp
from demo.zendesk.tickets import blank_ticket

TICKETS = 80
# the states repeat: ticket 1 is new, 2 and 3 open, 4 pending, 5 on hold, 6 solved, 7 and 8 closed, 9 new …
STATES = ("new", "open", "open", "pending", "hold", "solved", "closed", "closed")
SUBJECTS = (  # French and English in turn
    ("La facture de mars est trop élevée", "Bonjour, ma facture a doublé ce mois-ci. Pouvez-vous vérifier ?"),
    ("Internet drops every evening", "Since Monday the connection drops every evening around eight."),
    ("Changement d’adresse", "Nous déménageons le premier du mois. Que faut-il faire pour le service ?"),
    ("Refund for the returned router", "I returned the router two weeks ago and still wait for my refund."),
    ("Impossible de me connecter au portail", "Le portail me dit que mon mot de passe est expiré."),
    ("Upgrade to the business plan", "We would like to move twelve lines to the business plan."),
    ("Livraison en retard", "Ma commande devait arriver jeudi dernier et je n’ai aucune nouvelle."),
    ("Question about roaming in Europe", "What do calls cost when I travel to Portugal next month?"),
    ("Caméra hors ligne", "La caméra du garage est hors ligne depuis la mise à jour."),
    ("Please cancel my television package", "We no longer watch it; please cancel it at the end of the month."),
)
ANSWERS = (
    "Merci pour votre message, je vérifie et je vous reviens aujourd’hui.",
    "Thank you for your patience, I have passed this on to our technicians.",
    "Called the customer, no answer. Will try again tomorrow.",
    "Crédit appliqué au dossier, visible sur la prochaine facture.",
)
PRIORITIES = (None, "low", "normal", "high", "urgent")
TYPES = (None, "question", "incident", "problem", "task")


def seed_tickets(account: Account, chance: random.Random, now: datetime) -> None:
    """Tickets with ids 1 to 80, oldest first."""
    customers = [user for user in account.table("users").values() if user["role"] == "end-user"]
    agents = [user for user in account.table("users").values() if user["role"] != "end-user"]
    for number in range(TICKETS):
        created = now - timedelta(hours=(TICKETS - number) * 9 + chance.randint(0, 8))
        requester = customers[number % len(customers)]
        ticket = seed_ticket(account, chance, number, requester, created)
        state = STATES[number % len(STATES)]
        if state != "new":
            agent = agents[1 + number % 2]
            seed_answer(account, chance, ticket, state, agent, created + timedelta(hours=chance.randint(1, 7)))


def seed_ticket(account: Account, chance: random.Random, number: int, requester: Record, created: datetime) -> Record:
    """A ticket as the customer opened it."""
    language = 0 if requester["locale"] == "fr-CA" else 1
    subject, description = SUBJECTS[number // 2 % 5 * 2 + language]
    key = account.new_id("tickets")
    ticket = blank_ticket(description, requester, stamp(created)) | {
        "id": key,
        "subject": subject,
        "priority": chance.choice(PRIORITIES),
        "type": chance.choice(TYPES),
        "brand_id": account.setting("brand_id", None),
        "ticket_form_id": next(key for key, form in account.table("ticket_forms").items() if form.get("default")),
        "tags": ["demo"],
        "is_public": number % 10 != 9,
        "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}},
    }
    if number % 9 == 0:
        ticket["external_id"] = f"CASE-{5000 + number}"
    account.put("tickets", key, ticket)
    is_public = number % 10 != 9  # every tenth begins with an internal note of the system user
    author_id = requester["id"] if is_public else account.setting("system_user_id", 0)
    first = comment_event(description, author_id=author_id, is_public=is_public)
    events = [first, *change_events({}, ticket, kind="Create")]
    add_audit(account, key, events, author_id=author_id, now=created)
    return ticket


def seed_answer(
    account: Account, chance: random.Random, ticket: Record, state: str, agent: Record, at: datetime
) -> None:
    """What an agent did with it."""
    values = {
        field_id(account, "CXone contact ID"): str(chance.randint(100_000_000_000, 999_999_999_999)),
        field_id(account, "Disposition"): chance.choice(DISPOSITION)[1],
        field_id(account, "Handle time"): str(chance.randint(45, 1800)),
        field_id(account, "Call date"): f"{at:%Y-%m-%d}",
        field_id(account, "Products"): [chance.choice(PRODUCTS)[1]],
    }
    if state in ("solved", "closed"):
        values[field_id(account, "Resolution")] = "resolution_fixed"
    after = ticket | {
        "status": state,
        "assignee_id": agent["id"],
        "group_id": agent["default_group_id"],
        "custom_fields": values,
        "updated_at": stamp(at),
    }
    options = {value for value in values.values() if isinstance(value, str) and "_" in value}
    after["tags"] = sorted({*ticket["tags"], *options, *values[field_id(account, "Products")]})
    account.put("tickets", ticket["id"], after)
    answer = comment_event(chance.choice(ANSWERS), author_id=agent["id"], is_public=chance.random() < 0.7)
    add_audit(account, ticket["id"], [answer, *change_events(ticket, after)], author_id=agent["id"], now=at)
