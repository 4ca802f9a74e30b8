"""What a new account holds: people, organizations, fields, custom objects and tickets."""

import random
import zlib
from datetime import datetime

from demo.zendesk.seed_fields import seed_fields
from demo.zendesk.seed_objects import seed_objects
from demo.zendesk.seed_people import seed_people
from demo.zendesk.seed_roles import seed_roles
from demo.zendesk.seed_tickets import seed_tickets
from demo.zendesk.state import Account

LARGE = "large"  # the account with the most ticket fields Zendesk allows
LARGE_FIELDS = 400


def seed_account(account: Account, now: datetime) -> None:
    """Fill an empty account."""
    chance = random.Random(zlib.crc32(account.subdomain.encode()))  # noqa: S311 - chance, not secrecy
    account.set_setting("created_at", now.isoformat())
    seed_roles(account, now)
    seed_people(account, chance, now)
    seed_fields(account, now, ticket_fields=LARGE_FIELDS if account.subdomain == LARGE else None)
    seed_objects(account, chance, now)
    seed_tickets(account, chance, now)
    account.note_change(
        at=now, actor="Zendesk", kind="account", key=account.subdomain, label=account.subdomain, fields=[]
    )
