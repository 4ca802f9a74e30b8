"""Doors for Celery. Tasks take ids, call one service, and may run twice, late or never: the database decides.

Unknown keywords are tolerated, so that old and new workers can share a broker during an upgrade.
"""

from typing import Any

from celery import shared_task

from memorialization.services import replay_runs
from memorialization.services.hints import send_backlog_hint
from memorialization.services.sweeping import sweep_once
from memorialization.services.turns import take_turn


@shared_task(name="memorialization.tasks.push_account")  # type: ignore[untyped-decorator]
def push_account(account_id: int, **_: Any) -> None:
    """Push what is due on one account; whatever the turn leaves over is hinted at again, behind the others."""
    for _again in range(take_turn(account_id=account_id)):
        send_backlog_hint(account_id=account_id)


@shared_task(name="memorialization.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep(**_: Any) -> None:
    """One round of the sweep; what it pushes by itself keeps to this worker's bounds per account."""
    sweep_once(push=lambda account_id: push_account(account_id))


@shared_task(name="memorialization.tasks.continue_replay_run")  # type: ignore[untyped-decorator]
def continue_replay_run(run_id: int, **_: Any) -> None:
    """Work on a replay run for a while; what is left over is hinted at again, behind the others."""
    if replay_runs.continue_replay_run(run_id=run_id):
        replay_runs.hint_at_rest(run_id=run_id)


@shared_task(name="memorialization.tasks.canary", acks_late=False)  # type: ignore[untyped-decorator]
def canary(**_: Any) -> None:
    """Nothing: that it begins is what the worker's watchdog waits for."""
