"""Fills a database with a believable ledger of any size in a few minutes: everything is made by INSERT … SELECT.

`fill_ledger(rows=1_000_000)` on a database with tables and no data stores, for two years that end now: three active
configurations on two accounts (the third is held, and knows voice only) and a deleted one, four interactions and three
contacts for five deliveries, two events an interaction, 200 agents, lanes, attempts and marks; deliveries in every
state, 30 of them waiting. All of it follows from the row's number, so that both databases hold the same rows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from crm_integrations.models import Authentication, Configuration, CRMAccount, IntakeKey
from crm_integrations.services.intake_keys import create_key
from memorialization.models import Attempt, Contact, Delivery, FieldMark, Interaction, InteractionEvent, RecordLane
from tests.benchmarks.set_inserts import Dialect, drop_indexes, insert_from, keep_up, make_indexes, quote, run
from tests.factories import make_authentication, make_configuration, make_mapping

YEARS = timedelta(days=730)
FEW_ROWS = 10_000  # up to here, and in a transaction too, indexes stay where they are
WAITING, AGENTS, TICKETS_OF_ONE = 30, 200, 7
KIND = "zendesk"
MAPPED = {"ticket": [("subject", "voice", "skillName"), ("contact_id", "voice", "contactId")]}
BULK_TABLES = (Contact, Interaction, InteractionEvent, RecordLane, Delivery, Attempt, FieldMark)


@dataclass(frozen=True)
class Ledger:
    """What was made."""

    rows: int
    start: datetime
    end: datetime
    configurations: list[Configuration]  # the busiest, the second, the held one
    key: str  # an intake key of the first


def fill_ledger(*, rows: int, end: datetime | None = None) -> Ledger:
    """Store the ledger; of a large one bring PostgreSQL's statistics up to date, as its own upkeep does by and by."""
    end = (end or timezone.now()).replace(microsecond=0)
    start = end - YEARS
    configurations, key = _make_configurations(end)
    filler = _Filler(Dialect(start), rows, configurations)
    is_large = rows > FEW_ROWS
    dropped = drop_indexes(BULK_TABLES) if is_large else []
    for table in (
        filler.contacts,
        filler.interactions,
        filler.events,
        filler.lanes,
        filler.deliveries,
        filler.attempts,
    ):
        table()
    filler.marks()
    if is_large:
        make_indexes(dropped)
    keep_up()
    return Ledger(rows, start, end, configurations, key)


def _make_configurations(now: datetime) -> tuple[list[Configuration], str]:
    first = make_authentication(address="acme")
    held = make_authentication(address="globex", state=Authentication.State.REAUTHENTICATE)
    CRMAccount.objects.filter(pk__in=[first.account_id, held.account_id]).update(provider=KIND)
    configurations = [
        make_configuration(authentication=first, name="Support", integration_type=KIND),
        make_configuration(authentication=first, name="Sales", integration_type=KIND),
        make_configuration(authentication=held, name="Partners", integration_type=KIND),
    ]
    make_configuration(
        authentication=first, name="Closed", state=Configuration.State.DELETED, deleted_at=now - timedelta(days=1)
    )
    for configuration in configurations:
        make_mapping(configuration, MAPPED)
    _key, text = create_key(
        configuration=configurations[0], kind=IntakeKey.Kind.BEARER, label="bench", actor=None, now=now
    )
    return configurations, text


class _Filler:
    """One INSERT … SELECT per table. Columns that are not named get the model's default."""

    def __init__(self, dialect: Dialect, rows: int, configurations: list[Configuration]) -> None:
        self.dialect, self.rows = dialect, rows
        self.interaction_count, self.contact_count = rows * 4 // 5, rows * 3 // 5
        self.tickets = max(rows * 35 // 100, TICKETS_OF_ONE)
        self.step = YEARS.total_seconds() / rows
        self.accounts = [configuration.authentication.account_id for configuration in configurations]
        self.configurations = [dialect.uuid(configuration.pk) for configuration in configurations]
        run("CREATE TEMPORARY TABLE numbers (n bigint PRIMARY KEY)")
        run(f"INSERT INTO numbers (n) {dialect.numbers(rows * 2)}")

    def contacts(self) -> None:
        """Three for five deliveries."""
        columns = {
            "id": "n",
            "configuration_id": self._configuration("n"),
            "contact_id": "CAST(415200000000 + n AS text)",
            "created_at": self._at("n * 5 / 3"),
        }
        insert_from(self.dialect, Contact, columns, f"numbers WHERE n <= {self.contact_count}")

    def interactions(self) -> None:
        """Four for five deliveries; the last three thousandths of them are not planned yet."""
        contact, agent = "((n - 1) * 3 / 4 + 1)", f"((n * 13) % {AGENTS})"
        name = f"('Agent' || ({agent} / 20) || ' Family' || ({agent} % 20))"
        state = f"CASE WHEN n > {self.interaction_count - 20} THEN 'open' WHEN n > {self.interaction_count - 60} " \
                "THEN 'waiting' ELSE 'planned' END"  # fmt: skip
        at = self._at("n * 5 / 4")
        values = (
            '\'{"agentName": {"value": "\' || ' + name + ' || \'", "occurred_at": "2026-01-01T00:00:00+00:00"},'
            ' "skillName": {"value": "Support in French", "occurred_at": "2026-01-01T00:00:00+00:00"}}\''
        )
        columns = {
            "id": "n",
            "configuration_id": self._configuration(contact),
            "contact_id": contact,
            "channel": self._channel(contact),
            "segment_id": "'seg' || n",
            "agent_id": f"CAST(39185000 + {agent} AS text)",
            "started_at": at,
            "ended_at": at,
            "ended_by": "'agent'",
            "state": state,
            "verdict_rule": "'voice_ended'",
            "due_at": at,
            "values": self.dialect.json(values),
            "search_text": f"(415200000000 + {contact}) || ' ' || (39185000 + {agent}) || ' ' || lower({name})",
            "planned_at": at,
            "created_at": at,
            "updated_at": at,
        }
        insert_from(self.dialect, Interaction, columns, f"numbers WHERE n <= {self.interaction_count}")

    def events(self) -> None:
        """Started and ended, of each interaction."""
        interaction = "((n + 1) / 2)"
        contact = f"(({interaction} - 1) * 3 / 4 + 1)"
        kind = "CASE WHEN n % 2 = 1 THEN 'interaction.started' ELSE 'interaction.ended' END"
        at = self._at(f"{interaction} * 5 / 4")
        body = (
            '\'{"eventId": "e-\' || n || \'", "type": "\' || ' + kind + ' || \'", "contactId": "\' || '
            f'(415200000000 + {contact}) || \'", "segmentId": "seg\' || {interaction} || \'", "channel": "\' || '
            + self._channel(contact)
            + ' || \'", "endedBy": "agent", "occurredAt": "2026-01-01T00:00:00Z", "fields": '
            '{"skillName": "Support in French"}}\''
        )
        columns = {
            "id": "n",
            "configuration_id": self._configuration(contact),
            "contact_id": contact,
            "event_id": "'e-' || n",
            "type": kind,
            "occurred_at": at,
            "ordered_at": at,
            "received_at": at,
            "body": self.dialect.json(body),
            "body_hash": "CAST(n AS text)",
        }
        insert_from(self.dialect, InteractionEvent, columns, f"numbers WHERE n <= {self.interaction_count * 2}")

    def lanes(self) -> None:
        """Tickets of either account; a lane's number says both."""
        columns = {
            "id": "n",
            "account_id": f"CASE WHEN n > {self.tickets} THEN {self.accounts[2]} ELSE {self.accounts[0]} END",
            "entity_type": "'ticket'",
            "record_id": f"CAST(35000000 + (n - 1) % {self.tickets} AS text)",
        }
        insert_from(self.dialect, RecordLane, columns, f"numbers WHERE n <= {self.tickets * 2}")

    def deliveries(self) -> None:
        """Each of their states, most of them delivered. Every tenth is a replay of the one before."""
        interaction = "((n - 1) * 4 / 5 + 1)"
        contact = f"(({interaction} - 1) * 3 / 4 + 1)"
        fate = "((n * 7919) % 100)"
        is_new = f"(n > {self.rows - WAITING})"
        has_record = f"({is_new} OR {fate} <= 95)"
        state = (
            f"CASE WHEN {is_new} THEN 'waiting' WHEN {fate} < 86 THEN 'delivered' WHEN {fate} < 90 THEN 'partial' "
            f"WHEN {fate} < 94 THEN 'failed' ELSE 'skipped' END"
        )
        reason = (
            f"CASE WHEN {is_new} OR {fate} < 90 THEN '' WHEN {fate} = 90 THEN 'record_gone' WHEN {fate} = 91 THEN "
            f"'value_refused' WHEN {fate} = 92 THEN 'access_denied' WHEN {fate} = 93 THEN 'record_closed' "
            f"WHEN {fate} < 96 THEN 'nothing_to_write' ELSE 'no_record' END"
        )
        ticket = f"(({interaction} * {TICKETS_OF_ONE}) % {self.tickets})"
        lane = f"({ticket} + 1 + CASE WHEN {contact} % 10 = 9 THEN {self.tickets} ELSE 0 END)"
        entry = (
            '{"crm_field": "%s", "type": "text", "label": "%s", "channel": "voice", "source": "skillName", "value": '
            '"Support in French", "rendered": "Support in French", "sent": "Support in French", "shown": '
            '"Support in French", "result": "written", "mapping": "Calls", "version": 1}'
        )
        fields = "[" + ", ".join(entry % (name, name.title()) for name in ("subject", "priority", "type")) + "]"
        columns = {
            "id": "n",
            "configuration_id": self._configuration(contact),
            "interaction_id": interaction,
            "channel": self._channel(contact),
            "lane_id": f"CASE WHEN {is_new} OR {fate} < 94 THEN {lane} END",
            "entity_type": "CASE WHEN n % 10 = 7 AND NOT " + has_record + " THEN 'user' ELSE 'ticket' END",
            "record_id": f"CASE WHEN {has_record} THEN CAST(35000000 + {ticket} AS text) ELSE '' END",
            "revision": "CASE WHEN n % 5 = 2 THEN 2 ELSE 1 END",
            "fields": self.dialect.json(quote(fields)),
            "target_rule": "'linked'",
            "segment_ended_at": self._at("n"),
            "segment_key": f"'voice:' || (415200000000 + {contact}) || ':seg' || {interaction}",
            "replay_of_id": "CASE WHEN n % 10 = 2 THEN n - 1 END",
            "state": state,
            "reason": reason,
            "next_attempt_at": f"CASE WHEN {is_new} THEN {self._at('n')} END",
            "attempt_count": "1",
            "created_at": self._at("n"),
            "finished_at": f"CASE WHEN NOT {is_new} THEN {self._at('n')} END",
        }
        insert_from(self.dialect, Delivery, columns, f"numbers WHERE n <= {self.rows}")
        table = RecordLane._meta.db_table
        waits = f"SELECT lane_id FROM {Delivery._meta.db_table} WHERE state = 'waiting'"
        run(f"UPDATE {table} SET next_due_at = {self._at(str(self.rows))} WHERE id IN ({waits})")

    def attempts(self) -> None:
        """One for each delivery that had a record."""
        source = f"{Delivery._meta.db_table} WHERE lane_id IS NOT NULL AND state <> 'waiting'"
        columns = {
            "id": "id",
            "lane_id": "lane_id",
            "fence": "1",
            "started_at": "created_at",
            "finished_at": "created_at",
            "outcome": "CASE WHEN state = 'failed' THEN 'refused' ELSE 'succeeded' END",
            "status": "CASE WHEN state = 'failed' THEN 422 ELSE 200 END",
        }
        insert_from(self.dialect, Attempt, columns, source)
        through = Delivery.attempts.through._meta.db_table
        run(f"INSERT INTO {through} (id, attempt_id, delivery_id) SELECT id, id, id FROM {source}")

    def marks(self) -> None:
        """One on each lane of the first account."""
        columns = {
            "id": "n",
            "lane_id": "n",
            "crm_field": "'subject'",
            "segment_ended_at": self._at("n"),
            "segment_key": "'voice:1:seg1'",
            "occurred_at": self._at("n"),
        }
        insert_from(self.dialect, FieldMark, columns, f"numbers WHERE n <= {self.tickets}")
        run("DROP TABLE numbers")
        if self.dialect.is_postgres:
            for model in (*BULK_TABLES, Delivery.attempts.through):
                run(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), {self.rows * 2 + 1})")

    def _configuration(self, contact: str) -> str:
        first, second, third = self.configurations
        return f"CASE WHEN {contact} % 10 < 6 THEN {first} WHEN {contact} % 10 < 9 THEN {second} ELSE {third} END"

    def _channel(self, contact: str) -> str:
        return f"CASE WHEN {contact} % 10 < 9 AND {contact} % 4 = 0 THEN 'digital' ELSE 'voice' END"

    def _at(self, number: str) -> str:
        """When the delivery of this number was planned."""
        return self.dialect.moment(f"CAST(({number}) * {self.step} AS bigint)")
