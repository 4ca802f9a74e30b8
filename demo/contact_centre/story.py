"""A story being told: events in story time, turned into calls of the API that are sent over a few seconds.

Pure: the same seed, customers and moment give the same story to the letter. Ids also depend on the moment, so a story
can be played again later without its events being taken for repetitions.
"""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from demo.contact_centre.cast import AGENTS, SKILLS, Agent, Skill
from demo.contact_centre.customers import Customer, CustomerBook
from demo.contact_centre.times import MIXED, PLAIN, Moment, TimeStyle

EVENTS = "events"
WORKFLOWS = "workflows"
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Send:
    """One call of the API: `path` beside the events address, the body, and when after the beginning it goes out."""

    delay_s: float
    path: str
    body: Any

    @property
    def event_ids(self) -> tuple[str, ...]:
        """The ids of the events in the body; none for a link."""
        events = self.body if isinstance(self.body, list) else [self.body]
        return tuple(event["eventId"] for event in events if "eventId" in event)


@dataclass(frozen=True, slots=True)
class Play:
    """A whole interaction, ready to be sent."""

    scenario: str
    seed: int
    contact_ids: tuple[str, ...]
    customer: str
    sends: tuple[Send, ...]
    id: int = 0  # in the log, once it is stored there

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Every event once, in the order of sending."""
        return tuple(dict.fromkeys(event_id for send in self.sends for event_id in send.event_ids))


@dataclass(frozen=True, slots=True)
class _Step:
    sent_at_s: float
    path: str
    body: Any


class Story:
    """What the scenario functions tell; times are seconds after the story's beginning."""

    def __init__(self, *, scenario: str, seed: int, book: CustomerBook, now: datetime) -> None:
        self.scenario, self.seed, self.book, self.now = scenario, seed, book, now
        self.chance = random.Random(f"{scenario}:{seed}")  # noqa: S311 - chance, not secrecy
        self._ids = random.Random(f"{scenario}:{seed}:{now.isoformat()}")  # noqa: S311
        self.styles: Sequence[TimeStyle] = PLAIN
        self.contact_ids: list[str] = []
        self.customer = book.choose(self.chance)
        self.ended_ago_s = 0
        self._steps: list[_Step] = []
        self._length_s = 0

    def choose_customer(self, *, wants: str) -> Customer:
        """Somebody else than the usual choice: who has `wants`."""
        self.customer = self.book.choose(self.chance, wants=wants)
        return self.customer

    def choose_skill(self) -> Skill:
        """A queue in the customer's language."""
        return self.chance.choice([skill for skill in SKILLS if skill.is_french == self.customer.is_french])

    def choose_agents(self, count: int = 1) -> list[Agent]:
        """Different agents who speak the customer's language."""
        return self.chance.sample([each for each in AGENTS if each.speaks_french or not self.customer.is_french], count)

    def new_number(self, prefix: str) -> str:
        """A contact's number: twelve digits, as the source gives them."""
        number = prefix + "".join(self._ids.choices("0123456789", k=12 - len(prefix)))
        self.contact_ids.append(number)
        return number

    def new_uuid(self) -> str:
        """An id of an event or interaction."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def use_mixed_times(self) -> None:
        """From now on every time may be written in another style."""
        self.styles = MIXED

    def moment(self, at_s: float) -> Moment:
        """A story time in one of the story's styles."""
        return Moment(int(at_s), self.chance.choice(self.styles))

    def records(self) -> list[Payload]:
        """The customer's newest open ticket and the customer, as records to link; [] when the CRM knows neither."""
        found = [{"entityType": "ticket", "id": self.customer.open_tickets[-1]}] if self.customer.open_tickets else []
        return found + ([{"entityType": "user", "id": self.customer.user_id}] if self.customer.user_id else [])

    def tell(self, kind: str, at_s: float, *, sent_at_s: float | None = None, **keys: Any) -> Payload:
        """An event of `kind`; keys that are None or empty are left out. Answers it, to be repeated."""
        event: Payload = {"eventId": self.new_uuid(), "type": kind, "occurredAt": self.moment(at_s)}
        event |= {key: value for key, value in keys.items() if value not in (None, [], {})}
        self._length_s = max(self._length_s, int(at_s))
        self.send(event, at_s if sent_at_s is None else sent_at_s)
        return event

    def send(self, body: Any, sent_at_s: float, *, path: str = EVENTS) -> None:
        """Send a body, possibly once more, whatever the time it tells of."""
        self._length_s = max(self._length_s, int(sent_at_s))
        self._steps.append(_Step(sent_at_s, path, body))

    def link_by_api(self, contact_id: str, at_s: float) -> None:
        """Link the customer's records through the link API, one call each."""
        for record in self.records():
            self.send(record, at_s, path=f"interactions/{contact_id}/records")

    def run_workflow(self, name: str, at_s: float, **body: Any) -> None:
        """What the script asks the product to do at once; keys that are empty are left out."""
        self.send({key: value for key, value in body.items() if value}, at_s, path=f"{WORKFLOWS}/{name}")

    def finish(self, *, span_s: float) -> Play:
        """The story with real times: its last second is now, and all of it is sent within `span_s` seconds."""
        length_s = self._length_s + self.ended_ago_s
        began_at = self.now.replace(microsecond=0) - timedelta(seconds=length_s)
        steps = sorted(self._steps, key=lambda step: step.sent_at_s)  # stable: told first, sent first
        first_s, last_s = steps[0].sent_at_s, steps[-1].sent_at_s
        scale = span_s / (last_s - first_s) if last_s > first_s else 0.0
        sends = [
            Send(round((step.sent_at_s - first_s) * scale, 3), step.path, _write_times(step.body, began_at))
            for step in steps
        ]
        return Play(self.scenario, self.seed, tuple(self.contact_ids), self.customer.name, _in_shape(sends))


def _write_times(value: Any, began_at: datetime) -> Any:
    if isinstance(value, Moment):
        return value.write(began_at)
    if isinstance(value, Mapping):
        return {key: _write_times(entry, began_at) for key, entry in value.items()}
    if isinstance(value, list):
        return [_write_times(entry, began_at) for entry in value]
    return value


def _in_shape(sends: Sequence[Send]) -> tuple[Send, ...]:
    """Through JSON once, so that what is stored and what is sent cannot differ."""
    return tuple(replace(send, body=json.loads(json.dumps(send.body))) for send in sends)
