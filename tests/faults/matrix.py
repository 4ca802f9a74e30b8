"""The rows of the matrix as data, and how one is played."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from tests.faults import rows_bulk, rows_crm, rows_load, rows_servers, rows_tokens, rows_workers
from tests.faults.crew import Crew
from tests.faults.load import Shape
from tests.faults.run import FaultNeverStruck, Run, judge, shape_reports
from tests.faults.run_result import Result
from tests.faults.scene import make_scene
from tests.faults.sender import Sender
from tests.faults.servers import EMBEDDED, PRODUCTION, Servers

BOTH = (EMBEDDED, PRODUCTION)
PATIENCE_S = 90.0
PATIENCE_PER_EVENT_S = 0.15
MANY = Shape(accounts=3, users_share=0.15, organizations_share=0.05)
ONE = Shape(users_share=0.1)
BULK = Shape(per_record=1, notes_share=0, late_share=0)  # many records of one account wait for one value each
CALLERS = Shape(accounts=3, notes_share=0, users_share=0.7, callers_share=0.7)
USERS = Shape(per_record=2, notes_share=0, late_share=0.1, users_share=0.8, organizations_share=0.1)


@dataclass(frozen=True)
class Row:
    """One fault. `words` is what the table calls it."""

    name: str
    words: str
    play: Callable[[Run], None]
    shape: Shape = MANY
    profiles: tuple[str, ...] = BOTH
    extra_s: float = 0.0  # more patience: what failed two or three times is tried again after minutes
    plan: str = ""  # the plan of Zendesk whose limits are switched on; empty: none


W, S, C, T, L, B = rows_workers, rows_servers, rows_crm, rows_tokens, rows_load, rows_bulk
ENTERPRISE = "enterprise"
ROWS = (
    Row("calm", "no fault at all, real limits", L.send_all, extra_s=60, plan=ENTERPRISE),
    Row("kill_in_folding", "kill -9 a worker that folds events", W.kill_one_at("during_fold:kill:3")),
    Row("kill_after_match", "kill -9 a worker that was told who called", W.kill_one_at("after_match:kill:3"), CALLERS),
    Row("kill_after_claim", "kill -9 a worker that holds records", W.kill_one_at("after_claim:kill")),
    Row("kill_before_send", "kill -9 a worker before a send", W.kill_one_at("before_call:kill:3")),
    Row("kill_after_send", "kill -9 a worker after a send, before the commit", W.kill_one_at("after_call:kill:3")),
    Row("kill_in_commit", "kill -9 a worker inside the commit", W.kill_one_at("during_commit:kill:3")),
    Row("kill_before_bulk", "kill -9 before a bulk call", W.kill_one_at("before_bulk_call:kill"), BULK),
    Row(
        "kill_after_bulk",
        "kill -9 between a bulk's answer and its storage",
        W.kill_one_at("after_bulk_call:kill"),
        BULK,
    ),
    Row("kill_bulk_waiting", "kill -9 while a bulk runs", W.kill_one_at("bulk_waiting:kill"), BULK),
    Row("kill_bulk_end", "kill -9 before a bulk is concluded", W.kill_one_at("before_bulk_conclude:kill"), BULK),
    Row("kill_bulk_running", "kill -9 all workers while jobs run", B.kill_while_running, BULK),
    Row("kill_bulk_users", "kill -9 after a bulk about users", W.kill_one_at("after_bulk_call:kill"), USERS),
    Row("job_stuck", "jobs that never end", B.spoil_jobs({"kind": "job_stuck", "entries": 6}, left_open=2), BULK),
    Row("job_vanish", "jobs vanish and are carried out", B.spoil_jobs({"kind": "job_vanish"}), BULK),
    Row(
        "job_vanish_lost",
        "jobs vanish and are not carried out",
        B.spoil_jobs({"kind": "job_vanish"}, {"kind": "job_failed"}),
        BULK,
    ),
    Row("job_killed", "jobs are killed part-way", B.spoil_jobs({"kind": "job_killed", "entries": 6}), BULK),
    Row("job_failed", "jobs fail before their first record", B.spoil_jobs({"kind": "job_failed"}), BULK),
    Row(
        "job_unheard",
        "5xx when asked about jobs, records read back in vain",
        B.spoil_jobs(
            {"kind": "status", "status": 503, "path": "job_statuses"},
            {"kind": "drop_after", "path": "tickets/show_many"},
        ),
        BULK,
    ),
    Row("job_entries", "records refused inside their jobs", B.refuse_entries, BULK),
    Row("bulk_answer_lost", "answers of bulk calls lost", B.lose_bulk_answers, BULK),
    Row("kill_everything", "kill -9 all workers and beat, restart", W.kill_everything),
    Row("terminate", "SIGTERM during a drain", W.terminate_worker, Shape(3, 4, 0.7)),
    Row("broker_flush", "broker flushed, three times", S.flush_broker),
    Row("broker_down", "broker down during ingest", S.stop_broker),
    Row("broker_half_open", "half-open broker sockets, then 3 restarts", S.half_open_broker),
    Row("database_crash", "database crashes twice", S.crash_database, profiles=(PRODUCTION,)),
    Row("database_down", "database down", S.stop_database, profiles=(PRODUCTION,)),
    Row("sqlite_writers", "SQLite: 8 writers and a long reader", S.write_from_everywhere, profiles=(EMBEDDED,)),
    Row("disk_full", "disk full (RLIMIT_FSIZE on web and worker)", S.fill_disk_of_sqlite, profiles=(EMBEDDED,)),
    Row("disk_full_server", "disk full (RLIMIT_FSIZE on PostgreSQL)", S.fill_disk_of_postgres, profiles=(PRODUCTION,)),
    Row("storm", "429 storm, with and without Retry-After", C.storm_of_limits, extra_s=60, plan=ENTERPRISE),
    Row("burst_5xx", "5xx on every call", C.burst_of_errors, extra_s=150),
    Row("hung", "hung and slow sockets", C.hang_sockets, extra_s=150),
    Row("answer_lost", "answers lost after applying", C.lose_answers, extra_s=150),
    Row("token_expiry", "token ends mid-batch, three times", T.end_tokens, ONE),
    Row("refresh_5xx", "renewal answers 5xx", T.fail_renewals, ONE),
    Row("invalid_grant", "grant gone, then re-authentication", T.end_grant, ONE),
    Row("refresh_at_once", "8 workers meet an ended token", T.renew_all_at_once, ONE),
    Row("duplicates", "events × 3, out of order", L.send_all, Shape(accounts=3, copies=3, window=200)),
    Row("record_burst", "50 interactions per record", L.burst_on_records, Shape(per_record=50, notes_share=0)),
    Row("poison", "values that are refused (422)", C.refuse_poison, Shape(accounts=1, poison=5)),
    Row("field_off", "mapped field switched off, fixed, replayed", C.switch_fields_off, ONE),
    Row("field_type", "mapped field of another type, fixed, replayed", C.change_field_types, ONE),
    Row("clock_skew", "worker clocks 5 min early and late", W.skew_clocks, profiles=(PRODUCTION,)),
    Row("two_beats", "two beats", W.run_two_beats),
    Row("no_beat", "no beat, empty broker", W.run_without_beat),
    Row("rolling_upgrade", "messages of a newer version", W.upgrade_rolling),
    Row("users", "users and organizations, real limits", L.trickle_after_a_heap, USERS, extra_s=180, plan=ENTERPRISE),
    Row("neighbour", "a neighbour's backlog", L.disturb_neighbour, Shape(2, 1, 0.7, late_share=0), plan=ENTERPRISE),
)
BY_NAME = {row.name: row for row in ROWS}


def play_row(row: Row, *, servers: Servers, size: int, seed: int) -> Result:
    """Set the row's stage, let the fault strike, wait, and judge."""
    began = time.monotonic()
    prefix = f"{row.name.replace('_', '-')}-{seed}-{time.time_ns() % 10**9}"
    names = [f"{prefix}-{number}" for number in range(row.shape.accounts)]
    scene = make_scene(
        zendesk_url=servers.zendesk_url(),
        web_url=servers.web_url(),
        names=names,
        plan=row.plan,
        seed=seed,
        **count_records(row.shape, size),
    )
    reports = shape_reports(size=size, seed=seed, shape=row.shape, scene=scene)
    crew = Crew(servers)
    patience_s = PATIENCE_S + size * PATIENCE_PER_EVENT_S + row.extra_s
    run = Run(servers, scene, Sender(scene.doors, seed), crew, reports, patience_s)
    try:
        _play(row, run)
        crew.kill_all()
        if row.plan:
            run.require_few_refusals()
        return judge(run, name=row.name, words=row.words, seed=seed, began=began)
    finally:
        crew.kill_all()
        connection.close()
        scene.abandon()


def count_records(shape: Shape, size: int) -> dict[str, int]:
    """How many tickets and users an account of the row needs."""
    records = max(1, size // shape.accounts // shape.per_record)
    return {"tickets": records, "users": math.ceil(records * shape.users_share)}


def _play(row: Row, run: Run) -> None:
    try:
        row.play(run)
    except Exception as error:
        words = (
            "the fault never struck"
            if isinstance(error, FaultNeverStruck)
            else f"the row broke: {type(error).__name__}"
        )
        run.problems.append(f"{words}: {error}")
        if not any(not member.may_die for member in run.crew.members):
            run.staff()  # what was acknowledged is still owed
    if not run.finished_at:
        run.wait_until_done()
