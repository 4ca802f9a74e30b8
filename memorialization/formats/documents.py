"""Reads JSON documents out of a file or pipe, one at a time, whatever their arrangement.

Taken are: one array, one object, an envelope such as `{"completedContacts": [...]}`, one document per line, or several
after each other. Nothing larger than an element of an array has to fit into memory, an envelope apart.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from django.utils.translation import gettext as _

CHUNK = 65_536  # characters read at a time
ELEMENT_LIMIT = 4_194_304  # characters of one element of an array
ENVELOPE_KEYS = ("completedContacts", "contacts", "events")
DECODER = json.JSONDecoder()
GAPS = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value and the line it begins on; `problem` says why it could not be read."""

    line: int
    value: Any = None
    problem: str = ""


def read_documents(stream: TextIO) -> Iterator[Document]:
    """Every document of the stream, unreadable ones included."""
    reader = _Reader(stream)
    first = reader.peek()
    if first == "[":
        yield from _read_array(reader)
    elif first:
        yield from _read_lines(reader)


class _Reader:
    """A stream with the part that was read and not used yet, and the number of the line it begins on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.buffer = ""
        self.line = 1

    def fill(self, size: int = CHUNK) -> bool:
        """Read on; False at the end."""
        chunk = self._stream.read(size)
        self.buffer += chunk
        return bool(chunk)

    def skip(self, signs: str) -> None:
        """Drop these signs from the beginning."""
        while True:
            rest = self.buffer.lstrip(signs)
            self.take(len(self.buffer) - len(rest))
            if rest or not self.fill():
                return

    def take(self, length: int) -> str:
        """Remove and answer the beginning."""
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        self.line += taken.count("\n")
        return taken

    def peek(self) -> str:
        """The first sign that is no gap; empty at the end."""
        self.skip(GAPS + "\ufeff")
        return self.buffer[:1]

    def take_line(self) -> str:
        """The rest of the present line."""
        while "\n" not in self.buffer and self.fill():
            pass
        end = self.buffer.find("\n")
        return self.take(len(self.buffer) if end < 0 else end + 1)


def _read_array(reader: _Reader) -> Iterator[Document]:
    reader.take(1)
    while (sign := reader.peek()) != "]":
        if not sign:
            yield Document(reader.line, problem=_("The array does not end; what came before was read."))
            return
        line, size = reader.line, CHUNK
        while True:
            try:
                value, end = DECODER.raw_decode(reader.buffer)
                break
            except (ValueError, RecursionError):
                is_over = len(reader.buffer) > ELEMENT_LIMIT or not reader.fill(size)
                if is_over:
                    yield Document(line, problem=_("This is not valid JSON; what comes after it cannot be read."))
                    return
                size = len(reader.buffer)  # so that a large element is not decoded once per chunk
        reader.take(end)
        yield Document(line, value)


def _read_lines(reader: _Reader) -> Iterator[Document]:
    """One document per line; a first line that is none by itself begins a document of several lines."""
    is_first = True
    while reader.peek():
        line, text = reader.line, reader.take_line()
        value, problem = _decode(text)
        if problem and is_first:
            while reader.fill(max(CHUNK, len(reader.buffer))):
                pass
            yield from _read_whole(text + reader.buffer, line)
            return
        is_first = False
        yield from _unwrap(line, value, problem)


def _read_whole(text: str, line: int) -> Iterator[Document]:
    """Documents of several lines each; when the first is none either, every line for itself."""
    position = 0
    while position < len(text):
        try:
            value, end = DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            for offset, rest in enumerate(text[position:].splitlines()):
                if rest.strip():
                    yield from _unwrap(line + offset, *_decode(rest))
            return
        yield from _unwrap(line, value, "")
        rest = text[end:].lstrip(GAPS)
        line += text.count("\n", position, len(text) - len(rest))
        position = len(text) - len(rest)


def _decode(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text.strip().removesuffix(",")), ""
    except (ValueError, RecursionError):
        return None, _("This is not valid JSON.")


def _unwrap(line: int, value: Any, problem: str) -> Iterator[Document]:
    """The rows of an envelope or of an array on one line, or the document itself."""
    rows = value if isinstance(value, list) else None
    if isinstance(value, dict):
        rows = next((value[key] for key in ENVELOPE_KEYS if isinstance(value.get(key), list)), None)
    if problem or rows is None:
        yield Document(line, value, problem)
        return
    for row in rows:
        yield Document(line, row)
