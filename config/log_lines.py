"""Lines of the log without what opens a door: whoever has a card's signed address sees that card (docs/security.md).

Django logs the address of each request that it refuses, and the web server that of every request when it is asked to.
"""

import logging
import re

SIGNED_ADDRESS = re.compile(r"(?<=/card/)[^/?\s\"']{40,}")  # a signature alone has 43 characters


class LineFormatter(logging.Formatter):
    """One record as text, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; of a card's address only that it is one."""
        return SIGNED_ADDRESS.sub("[signed]", super().format(record))
