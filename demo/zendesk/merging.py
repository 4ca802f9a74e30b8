"""Merging users as Zendesk does: everything goes to the winner, the loser stays as a deleted user.

https://developer.zendesk.com/api-reference/ticketing/users/users/#merge-end-users
"""

from demo.zendesk.state import Account, Record
from demo.zendesk.user_records import identities_of


def merge_user(account: Account, loser: Record, winner: Record) -> Record:
    """Hand tickets, addresses and numbers on; returns what becomes of the loser."""
    for ticket in list(account.table("tickets").values()):
        if ticket["requester_id"] == loser["id"]:
            account.put("tickets", ticket["id"], ticket | {"requester_id": winner["id"]})
    for identity in identities_of(account, loser["id"]):
        account.put("identities", identity["id"], identity | {"user_id": winner["id"], "primary": False})
    return {"active": False, "email": None, "phone": None, "external_id": None}
