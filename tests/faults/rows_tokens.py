"""Rows about access: tokens that end in the middle, renewals that fail, grants that are gone, many renewing at once."""

import time

from crm_integrations.models import Authentication
from tests.faults.run import FaultNeverStruck, Run
from tests.faults.zendesk_account import ZendeskAccount

EXPIRIES = 3
HELD_S = 3.0
HELD_PATIENCE_S = 60.0
STAMPEDE = 8


def end_tokens(run: Run) -> None:
    """The access token ends in the middle of a batch, three times: one renewal each."""
    account = run.scene.accounts[0]
    for each in run.scene.accounts:
        each.ask("latency", {"ms": 30})
    run.staff()
    run.begin_sending()
    for number in range(EXPIRIES):
        run.wait_until_share(0.1 + 0.1 * number)
        account.ask("tokens/expire", {})
        if not run.wait_until(lambda: _renewals(account) > number, patience_s=HELD_PATIENCE_S):  # noqa: B023
            raise FaultNeverStruck("nobody renewed the token")
    run.mark_fault_end()
    run.wait_until_done()
    run.require(_renewals(account) == EXPIRIES, f"{_renewals(account)} renewals for {EXPIRIES} expiries")
    run.require(run.scene.most_tries() <= 1, f"expiries cost tries: {run.scene.most_tries()}")


def renew_all_at_once(run: Run) -> None:
    """Eight workers meet an ended token at the same moment: exactly one renewal."""
    account = run.scene.accounts[0]
    run.send_all()
    account.ask("tokens/expire", {})
    run.staff(workers=STAMPEDE)
    run.mark_fault_end()
    run.wait_until_done()
    run.require(_renewals(account) == 1, f"{_renewals(account)} renewals for one expiry")


def fail_renewals(run: Run) -> None:
    """The token ends and its renewal answers 500 twice: nothing is held, nothing fails."""
    account = run.scene.accounts[0]
    run.staff()
    run.begin_sending()
    run.wait_until_share(0.1)
    account.ask("refresh", {"mode": "500", "count": 2})
    account.ask("tokens/expire", {})
    if not run.wait_until(lambda: _renewals(account) >= 1, patience_s=HELD_PATIENCE_S):
        raise FaultNeverStruck("nobody renewed the token")
    run.mark_fault_end()
    run.wait_until_done()
    run.require(_is_active(account), "a renewal that failed for a passing reason holds the authentication")
    run.require(_renewals(account) == 1, f"{_renewals(account)} renewals for one expiry")


def end_grant(run: Run) -> None:
    """The grant is gone (invalid_grant): everything is held; after re-authentication everything is delivered."""
    account = run.scene.accounts[0]
    run.staff()
    run.begin_sending()
    run.wait_until_share(0.1)
    account.ask("refresh", {"mode": "invalid_grant"})
    account.ask("tokens/expire", {})
    if not run.wait_until(lambda: not _is_active(account), patience_s=HELD_PATIENCE_S):
        raise FaultNeverStruck("the authentication was not held")
    run.sender.finish()
    before = _writes(account)
    time.sleep(HELD_S)
    run.require(_writes(account) == before, "something was written while the authentication was held")
    account.ask("refresh", {"mode": "ok"})
    run.scene.authorise_again(account)
    run.mark_fault_end()
    run.wait_until_done()
    run.require(run.scene.most_tries() <= 1, f"the hold cost tries: {run.scene.most_tries()}")


def _renewals(account: ZendeskAccount) -> int:
    """Renewals that succeeded."""
    return sum(call.endpoint == "oauth/tokens" and call.status == 200 for call in account.calls())


def _writes(account: ZendeskAccount) -> int:
    """Calls that wrote. A bulk job that the CRM took before goes on working, whatever becomes of the grant."""
    return sum(call.is_applied and call.method != "JOB" and call.endpoint != "oauth/tokens" for call in account.calls())


def _is_active(account: ZendeskAccount) -> bool:
    states = Authentication.objects.filter(account__address=account.subdomain).values_list("state", flat=True)
    return set(states) == {"active"}
