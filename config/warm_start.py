"""What a process does once it is up and before anybody waits for it."""

import gc

OBJECTS_PER_COLLECTION = 50_000  # a bulk write or an array of events makes ten thousand; Python's own 700 is far less


def finish_loading() -> None:
    """Load what the first call to a CRM would load, and leave all of it out of Python's collections of garbage."""
    from crm_integrations.providers.registry import all_providers

    all_providers()
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION)
