"""How a contact centre writes times: the same tenant mixes UTC, local offsets, milliseconds and no offset at all."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """One way to write a time; without an offset it is UTC and does not say so."""

    offset_minutes: int = 0
    ends_with: str = ""
    timespec: str = "seconds"

    def write(self, moment: datetime) -> str:
        """The moment in this style."""
        local = moment.astimezone(timezone(timedelta(minutes=self.offset_minutes)))
        text = local.isoformat(timespec=self.timespec)
        return text[:-6] + self.ends_with if self.ends_with != "offset" else text


UTC_Z = TimeStyle(ends_with="Z")
UTC_MILLISECONDS = TimeStyle(ends_with="Z", timespec="milliseconds")
UTC_OFFSET = TimeStyle(ends_with="offset")
MONTREAL = TimeStyle(offset_minutes=-300, ends_with="offset")
PRAGUE = TimeStyle(offset_minutes=60, ends_with="offset")
DENVER_MILLISECONDS = TimeStyle(offset_minutes=-420, ends_with="offset", timespec="milliseconds")
NO_OFFSET = TimeStyle()

PLAIN = (UTC_Z, UTC_MILLISECONDS)
MIXED = (UTC_OFFSET, MONTREAL, PRAGUE, DENVER_MILLISECONDS, UTC_Z)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in a story: whole seconds after its beginning, and how it will be written."""

    at_s: int
    style: TimeStyle

    def write(self, began_at: datetime) -> str:
        """The time as text, for a story that began then."""
        return self.style.write(began_at.astimezone(UTC) + timedelta(seconds=self.at_s))

    def restyled(self, style: TimeStyle) -> "Moment":
        """The same moment, written differently."""
        return replace(self, style=style)
