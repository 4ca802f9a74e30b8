"""The people and organizations of a new account: agents with different rights, French and English customers."""

import random
import unicodedata
from datetime import datetime, timedelta

from demo.zendesk.organizations import blank_organization
from demo.zendesk.seed_roles import group_ids, role_id
from demo.zendesk.state import Account, Record, stamp
from demo.zendesk.user_records import add_identity, blank_user, set_phone

SYSTEM_USER = "Integration System User"
# name, role, custom role
STAFF = (
    (SYSTEM_USER, "admin", "Administrator"),
    ("Camille Tremblay", "admin", "Administrator"),
    ("Marc-André Gagnon", "agent", "Support agent"),
    ("Priya Shah", "agent", "Tickets only"),
    ("Olivia Chen", "agent", "Light agent"),
)
ORGANIZATIONS = (
    ("Érablière Beauchemin", "erabliere-beauchemin.example", "bronze"),
    ("Northwind Hardware", "northwind-hardware.example", "gold"),
    ("Clinique dentaire Saint-Denis", "clinique-saint-denis.example", "silver"),
    ("Maple Leaf Logistics", "mapleleaf-logistics.example", "gold"),
    ("Caisse des Appalaches", "caisse-appalaches.example", "platinum"),
    ("Harbourfront Hotels", "harbourfront-hotels.example", "silver"),
    ("Librairie du Plateau", "librairie-plateau.example", "bronze"),
    ("Prairie Wind Energy", "prairie-wind.example", "platinum"),
)
CUSTOMERS = (
    "Geneviève Bouchard", "Liam Thompson", "Étienne Lavoie", "Sophie Pelletier", "Noah Campbell", "Mélanie Côté",
    "Emma MacDonald", "Jean-François Bergeron", "Isabelle Fortin", "Oliver Wright", "Chloé Ouellet", "William Fraser",
    "Amélie Girard", "Benjamin Clarke", "Maxime Poirier", "Hannah Stewart", "Félix Deschênes", "Ava Morrison",
    "Zoé Lapointe", "Lucas Reid", "Anaïs Caron", "Jacob Sinclair", "Raphaël Nadeau", "Charlotte Bell", "Noémie Leblanc",
    "Ethan Murray", "Véronique Dubé", "Grace O’Connor", "Mathieu Thibault", "Abigail Grant", "Élodie Paradis",
    "Samuel Hughes", "Josée Martel", "Daniel Kowalski", "Luc Beaulieu", "Fatima Haddad", "Kim Nguyen", "Catherine Roy",
    "Michael Singh", "Marie-Ève Desrosiers",
)  # fmt: skip
FRENCH = "éèêëàâîïôûùçÉÈÀ"
UNNORMALISED = {7: "(514) 555-0199", 19: "416 555 0142"}  # as people type them; Zendesk does not find them by E.164
LOYALTY = ("loyalty_bronze", "loyalty_silver", "loyalty_gold", "loyalty_platinum")


def seed_people(account: Account, chance: random.Random, now: datetime) -> None:
    """Staff, organizations, customers."""
    for name, role, custom_role in STAFF:
        seed_agent(account, name, role, custom_role, now)
    organizations = [seed_organization(account, chance, now, *row) for row in ORGANIZATIONS]
    for number, name in enumerate(CUSTOMERS):
        organization = organizations[number % 11] if number % 11 < len(organizations) else None
        seed_customer(account, chance, now, number, name, organization)


def seed_agent(account: Account, name: str, role: str, custom_role: str, now: datetime) -> None:
    """An agent or administrator."""
    key = account.new_id("users")
    agent = blank_user(key, name, now - timedelta(days=700)) | {
        "email": f"{ascii_name(name).replace(' ', '.')}@{account.subdomain}.example",
        "role": role,
        "custom_role_id": role_id(account, custom_role),
        "role_type": account.table("custom_roles")[role_id(account, custom_role)]["role_type"],
        "moderator": role == "admin",
        "restricted_agent": False,
        "ticket_restriction": None,
        "only_private_comments": custom_role == "Light agent",
        "default_group_id": group_ids(account)[0],
    }
    account.put("users", key, agent)
    add_identity(account, key, "email", agent["email"], now, primary=True)
    if name == SYSTEM_USER:
        account.set_setting("system_user_id", key)


def seed_organization(
    account: Account, chance: random.Random, now: datetime, name: str, domain: str, plan: str
) -> Record:
    """A company."""
    key = account.new_id("organizations")
    record = blank_organization(key, name, stamp(now - timedelta(days=chance.randint(200, 900)))) | {
        "domain_names": [domain],
        "external_id": f"ORG-{1000 + key % 100}",
        "tags": sorted([plan, "customer"]),
        "organization_fields": {"plan": plan, "seats": chance.randint(5, 400), "account_code": f"AC-{key % 10000:04d}"},
    }
    return account.put("organizations", key, record)


def seed_customer(
    account: Account, chance: random.Random, now: datetime, number: int, name: str, organization: Record | None
) -> None:
    """An end user with a phone, an address and some fields; every fifth has a second number."""
    key = account.new_id("users")
    is_french = any(letter in name for letter in FRENCH)
    area = "+1514555" if is_french else "+1416555"
    domain = organization["domain_names"][0] if organization else "mail.example"
    email = f"{ascii_name(name).replace(' ', '.')}@{domain}"
    user = blank_user(key, name, now - timedelta(days=chance.randint(20, 600))) | {
        "email": email,
        "external_id": f"CUST-{2000 + number}",
        "locale": "fr-CA" if is_french else "en-CA",
        "locale_id": 16 if is_french else 1,
        "organization_id": organization["id"] if organization else None,
        "user_fields": {"loyalty_level": chance.choice(LOYALTY), "lifetime_value": round(chance.uniform(20, 9000), 2)},
    }
    user["tags"] = [user["user_fields"]["loyalty_level"]]
    account.put("users", key, user)
    add_identity(account, key, "email", email, now, primary=True)
    set_phone(account, user, UNNORMALISED.get(number, f"{area}{1000 + number * 37:04d}"), now)
    if number % 5 == 0:
        add_identity(account, key, "phone_number", f"+1438555{2000 + number}", now, primary=False)


def ascii_name(name: str) -> str:
    """A name as it stands in an address."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return plain.replace("'", "")
