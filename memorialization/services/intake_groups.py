"""Calls of one process that would wait for each other are made as one: who comes first takes along what waits then.

Nobody waits for company: a call that finds nobody before it is made at once. Whoever is taken along gets an answer of
his own, and only after the common call has ended.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

Part = TypeVar("Part")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Place(Generic[Part, Answer]):
    """One caller's place in the row. Woken, it has an answer or an error, or else leads the next call."""

    key: object
    part: Part
    size: int
    woken: threading.Event = field(default_factory=threading.Event)
    answers: list[Answer] = field(default_factory=list)
    error: BaseException | None = None

    def answer(self) -> Answer:
        """What the call said to this caller; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.answers[0]


class GroupedCalls(Generic[Part, Answer]):
    """`run` takes parts of one key and answers each; `limit` bounds the sizes of those it takes together."""

    def __init__(self, run: Callable[[Sequence[Part]], Sequence[Answer]], *, limit: int) -> None:
        self._run, self._limit = run, limit
        self._lock, self._is_led = threading.Lock(), False
        self._waiting: list[_Place[Part, Answer]] = []

    def call(self, *, key: object, part: Part, size: int) -> Answer:
        """The answer to this part, which may share its call with others of the same key."""
        own = _Place[Part, Answer](key, part, size)
        with self._lock:
            is_follower, self._is_led = self._is_led, True
            self._waiting.append(own)
        if is_follower:
            own.woken.wait()
            if own.answers or own.error is not None:
                return own.answer()
        self._lead(own)
        return own.answer()

    def _lead(self, own: _Place[Part, Answer]) -> None:
        group = self._take_group(own)
        try:
            _answer(group, self._run)
        finally:
            self._hand_over()
            for place in group:
                place.woken.set()

    def _take_group(self, own: _Place[Part, Answer]) -> list[_Place[Part, Answer]]:
        """Its own place and the others of its key, in their order, as far as the limit goes."""
        with self._lock:
            group: list[_Place[Part, Answer]] = []
            size = 0
            for place in [own, *(each for each in self._waiting if each is not own and each.key == own.key)]:
                size += place.size
                if group and size > self._limit:
                    break
                group.append(place)
            self._waiting = [each for each in self._waiting if each not in group]
        return group

    def _hand_over(self) -> None:
        """The first who still waits leads next."""
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()


def _answer(group: Sequence[_Place[Part, Answer]], run: Callable[[Sequence[Part]], Sequence[Answer]]) -> None:
    """Call for the group. A database that is away is so for all; any other error concerns one, so each goes alone."""
    try:
        answers = run([place.part for place in group])
    except (OperationalError, InterfaceError) as error:
        _fail(group, error)
    except Exception as error:  # noqa: BLE001 - handed to the caller whom it concerns
        if len(group) == 1:
            _fail(group, error)
        for place in group if len(group) > 1 else ():
            _answer([place], run)
    except BaseException as error:
        _fail(group, error)
        raise
    else:
        for place, answer in zip(group, answers, strict=True):
            place.answers = [answer]


def _fail(group: Sequence[_Place[Part, Answer]], error: BaseException) -> None:
    for place in group:
        place.error = error
