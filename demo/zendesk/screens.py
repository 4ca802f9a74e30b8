"""Talk Partner Edition: tickets and users that were popped up on agents' screens, and the page that shows them.

Nobody has a screen here, so what was popped is kept: the control API and the account's page list it.
"""

from typing import Any

from demo.zendesk.replies import Call, Reply, endpoint_missing, not_allowed, record_missing
from demo.zendesk.rights import require_agent
from demo.zendesk.state import Account, Record, stamp

SETTING = "talk_partner"
ANSWERS = ("on", "404", "403")  # there; not there at all; not in the plan
KEPT = 200


def display_ticket(call: Call) -> Reply:
    """`POST channels/voice/agents/{agent}/tickets/{id}/display`."""
    return _display(call, "tickets")


def display_user(call: Call) -> Reply:
    """`POST channels/voice/agents/{agent}/users/{id}/display`."""
    return _display(call, "users")


def list_pops(account: Account) -> list[Record]:
    """What was popped, the latest first."""
    return sorted(account.table("pops").values(), key=lambda pop: -pop["n"])


def _display(call: Call, kind: str) -> Reply:
    require_agent(call.actor)
    answer = call.account.setting(SETTING, ANSWERS[0])
    if answer == "404":
        raise endpoint_missing()
    if answer == "403":
        raise not_allowed()
    agent = call.account.find("users", int(call.params["agent"]))
    record = call.account.find(kind, call.record_id)
    if agent is None or agent["role"] == "end-user" or not agent["active"] or record is None:
        raise record_missing()
    _keep(call, kind, agent, record)
    return Reply()


def _keep(call: Call, kind: str, agent: Record, record: Record) -> None:
    account = call.account
    number = account.new_id("pops")
    title: Any = record.get("subject") or record.get("name")
    pop = {"n": number, "at": stamp(call.now), "agent_id": agent["id"], "agent": agent["name"], "kind": kind}
    account.put("pops", number, {**pop, "id": record["id"], "title": title})
    account.drop("pops", number - KEPT)
    account.commit()
