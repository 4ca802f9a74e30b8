"""A good answer, and the check that it has the shape Zendesk promises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from zendesk_client.errors import InvalidAnswer

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_write: bool

    def read_json(self) -> dict[str, Any]:
        """Return the JSON object of the body; raises InvalidAnswer when it is none."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            raise InvalidAnswer(
                "The answer is not the JSON object expected.", status=self.status, maybe_applied=self.is_write
            )
        return parsed

    def read_object(self, key: str) -> dict[str, Any]:
        """Return the object under ``key`` of the body; raises InvalidAnswer when there is none."""
        return self.check_shape(self.read_json().get(key), dict, key)

    def check_shape(self, value: Any, kind: type[Shape], key: str) -> Shape:
        """Return ``value`` when it is a ``kind``; raises InvalidAnswer otherwise."""
        if isinstance(value, kind):
            return value
        raise InvalidAnswer(
            f"The answer has no usable {key}.", status=self.status, code="UnexpectedShape", maybe_applied=self.is_write
        )
