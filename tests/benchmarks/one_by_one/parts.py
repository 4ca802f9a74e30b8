"""What a one-by-one client would need for a load, computed from the part of it that it did."""

from dataclasses import dataclass

WINDOW_CALLS = 100  # ticket updates a minute


@dataclass(frozen=True)
class Part:
    """What a client did: when each record was written (seconds from its start), its calls and refusals."""

    client: str
    done_s: tuple[float, ...]
    calls: int
    limited: int
    cpu_s: float

    @property
    def records(self) -> int:
        """How many records it wrote."""
        return len(self.done_s)

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor per record."""
        return 1000 * self.cpu_s / self.records

    def seconds_for(self, records: int) -> float:
        """For records that all spend one window: whole windows of a hundred, and the first calls of the last one."""
        windows, rest = divmod(records - 1, WINDOW_CALLS)
        seen = (self.records - 1) // WINDOW_CALLS
        if not seen:
            return self.done_s[-1] * records / self.records
        window_s = (self.done_s[seen * WINDOW_CALLS] - self.done_s[0]) / seen
        return windows * window_s + self.done_s[rest]

    def seconds_in_proportion(self, records: int) -> float:
        """For a mix whose part is like the whole."""
        return self.done_s[-1] * records / self.records

    def calls_for(self, records: int) -> float:
        """Calls with the refused ones: as many for each full window as it had."""
        seen = (self.records - 1) // WINDOW_CALLS
        per_window = self.limited / seen if seen else 0.0
        return records + per_window * ((records - 1) // WINDOW_CALLS)
