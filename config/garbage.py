"""How seldom Python looks for garbage: what is loaded stays for good, and hardly anything here ends in cycles."""

import gc

OBJECTS_PER_LOOK = 50_000  # a bulk write or an array of events makes ten thousand; Python's own 700 is far less


def look_for_less_garbage() -> None:
    """To be called once all is loaded: no look need walk through that while somebody waits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_LOOK)
