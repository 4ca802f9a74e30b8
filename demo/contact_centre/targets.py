"""Where interactions are played to: a configuration's events address and intake key.

Target 0 is the file that `manage.py seed_demo` writes; it is read again whenever it changes, because seeding may make
a new key. All others are typed in on the page and live in the state. Keys are never shown again.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

FILE_TARGET_ID = 0
FILE_TARGET_NAME = "Seeded demo configuration"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class TargetRefused(ValueError):
    """What was typed is no target; str() says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """One configuration; `desk_url` is the demo Zendesk account whose people and tickets are played, or empty."""

    id: int
    name: str
    events_url: str
    intake_key: str = field(repr=False)
    product_url: str = ""
    desk_url: str = ""

    def address_of(self, path: str) -> str:
        """The address of a call beside the events, such as `interactions/<id>/records`."""
        return self.events_url if path == "events" else f"{self.events_url.removesuffix('events')}{path}"

    def ledger_url(self, contact_id: str) -> str:
        """Where a person sees what became of a contact."""
        parts = urlsplit(self.product_url or self.events_url)
        return f"{parts.scheme}://{parts.netloc}/interactions/?{urlencode({'q': contact_id})}"


def read_target(*, name: str, events_url: str, intake_key: str, desk_url: str = "", product_url: str = "") -> Target:
    """A target as somebody typed it, not stored yet. Raises TargetRefused."""
    events_url, intake_key, desk_url = events_url.strip(), intake_key.strip(), desk_url.strip().rstrip("/")
    parts = urlsplit(events_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise TargetRefused("The events address must begin with http:// or https://.")
    if not parts.path.endswith("/events"):
        raise TargetRefused("The events address ends with /events; copy it from the configuration’s page.")
    if not intake_key or not intake_key.isascii() or not intake_key.isprintable():
        raise TargetRefused("Paste the intake key as it was shown when it was made.")
    if desk_url and (urlsplit(desk_url).scheme != "http" or urlsplit(desk_url).hostname not in LOCAL_HOSTS):
        raise TargetRefused("People and tickets are read from a demo Zendesk on this machine only, or from nowhere.")
    shown = name.strip() or parts.netloc + parts.path.removesuffix("/events")[-37:]
    return Target(-1, shown[:80], events_url, intake_key, product_url.strip(), desk_url)


class TargetFile:
    """The target in the file; None while there is none."""

    def __init__(self, path: str | None, *, desk_url: str) -> None:
        self._path = Path(path) if path else None
        self._desk_url = desk_url
        self._seen: tuple[int, int] | None = None
        self._target: Target | None = None

    def read(self) -> Target | None:
        """The target as the file says now; a file that cannot be understood changes nothing."""
        try:
            stat = self._path.stat() if self._path else None
        except OSError:
            stat = None
        if stat is None or self._path is None:
            self._seen = self._target = None
            return None
        if self._seen != (stat.st_mtime_ns, stat.st_ino):
            self._load(self._path)
            self._seen = (stat.st_mtime_ns, stat.st_ino)
        return self._target

    def _load(self, path: Path) -> None:
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            read = read_target(
                name=FILE_TARGET_NAME,
                events_url=str(said["events_url"]),
                intake_key=str(said["intake_key"]),
                product_url=str(said.get("product_url", "")),
                desk_url=self._desk_url,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self._target = Target(
            FILE_TARGET_ID, read.name, read.events_url, read.intake_key, read.product_url, read.desk_url
        )
