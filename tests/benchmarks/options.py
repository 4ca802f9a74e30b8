"""What every benchmark is told: how much to measure, where, and on what."""

from dataclasses import dataclass
from pathlib import Path

SIZES = ("quick", "normal", "full")
DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Options:
    """One benchmark on one database. Everything under `folder` is thrown away afterwards."""

    size: str
    database: str
    folder: Path

    def choose(self, quick: int, normal: int, full: int) -> int:
        """The number that belongs to the size."""
        return {"quick": quick, "normal": normal, "full": full}[self.size]
