"""What the person at the terminal sees: every line of every process, with the name of the process before it."""

import os
import sys
import threading
from typing import IO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 95)  # ANSI foregrounds that are legible on light and dark terminals
NAME_WIDTH = 14
DIM = 90


class Screen:
    """Writes whole lines from several threads; colours only on a terminal, and never with NO_COLOR."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._has_colours = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._colour_of: dict[str, int] = {"run": DIM}

    def say(self, text: str, *, name: str = "run") -> None:
        """Write each line of `text` with `name` before it."""
        prefix = self._prefix(name)
        self.write("".join(f"{prefix}{line}\n" for line in text.splitlines()))

    def write(self, text: str) -> None:
        """Write as is. A reader that went away must not stop the product."""
        with self._lock:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                return

    def follow(self, pipe: IO[bytes], *, name: str) -> threading.Thread:
        """Show a process's output until it ends."""
        thread = threading.Thread(target=self._copy, args=(pipe, name), daemon=True, name=f"output of {name}")
        thread.start()
        return thread

    def _copy(self, pipe: IO[bytes], name: str) -> None:
        with pipe:
            for line in pipe:
                self.say(line.decode("utf-8", "replace").rstrip(), name=name)

    def _prefix(self, name: str) -> str:
        label = f"{name:<{NAME_WIDTH}} | "
        if not self._has_colours:
            return label
        with self._lock:
            colour = self._colour_of.setdefault(name, COLOURS[len(self._colour_of) % len(COLOURS)])
        return f"\033[{colour}m{label}\033[0m"
