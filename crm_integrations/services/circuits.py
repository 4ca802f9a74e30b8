"""The circuit of each account: noted with its calls, asked before a push."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from crm_integrations.budgets.circuits import Circuit, CircuitState, begin_probe, is_probe_due, note
from crm_integrations.models import CRMAccount
from crm_integrations.row_updates import update_rows
from crm_integrations.services.account_rows import read_account

COLUMNS = {
    "state": "circuit_state",
    "opened_at": "circuit_opened_at",
    "probe_at": "circuit_probe_at",
    "probes": "circuit_probes",
    "window_at": "circuit_window_at",
    "calls": "circuit_calls",
    "failures": "circuit_failures",
}


@dataclass(frozen=True, slots=True)
class CircuitVerdict:
    """CLOSED: push. PROBE: this caller alone may push one delivery. OPEN: nobody pushes before `until`."""

    state: CircuitState
    until: datetime | None = None


def may_push(*, account_id: int, now: datetime) -> CircuitVerdict:
    """Whether deliveries of the account may be pushed; the one who gets PROBE has won it from everybody else."""
    circuit = read_circuit(read_account(account_id=account_id))
    if circuit.state is CircuitState.CLOSED:
        return CircuitVerdict(CircuitState.CLOSED)
    if not is_probe_due(circuit, now):
        return CircuitVerdict(CircuitState.OPEN, circuit.probe_at)
    probing = begin_probe(circuit, now=now, probe_s=settings.CIRCUIT_PROBE_S)
    won = CRMAccount.objects.filter(
        pk=account_id, circuit_state=circuit.state.value, circuit_probe_at=circuit.probe_at
    ).update(**_as_columns(probing))
    return CircuitVerdict(CircuitState.PROBE if won else CircuitState.OPEN, probing.probe_at)


def give_probe_back(*, account_id: int, verdict: CircuitVerdict, now: datetime) -> None:
    """The one who got PROBE had nothing to try: the next who has may do so at once."""
    probing = CRMAccount.objects.filter(
        pk=account_id, circuit_state=CircuitState.HALF_OPEN.value, circuit_probe_at=verdict.until
    )
    probing.update(circuit_probe_at=now)


def note_on_locked(account: CRMAccount, *, calls: int, failures: int, now: datetime) -> None:
    """Count calls and those that the CRM gave no usable answer to; opens and closes the circuit.

    The caller has locked the account's row.
    """
    if not calls:
        return
    before = read_circuit(account)
    after = note(before, calls=calls, failures=failures, now=now, probe_s=settings.CIRCUIT_PROBE_S)
    if after != before:
        columns = _as_columns(after)
        update_rows(CRMAccount, {account.pk: tuple(columns.values())}, tuple(columns))


def read_circuit(account: CRMAccount) -> Circuit:
    """The account's circuit as the rules see it."""
    stored = {name: getattr(account, column) for name, column in COLUMNS.items()}
    return Circuit(**stored | {"state": CircuitState(account.circuit_state)})


def _as_columns(circuit: Circuit) -> dict[str, object]:
    return {column: getattr(circuit, name) for name, column in COLUMNS.items()} | {"circuit_state": circuit.state.value}
