"""What a process does before anybody waits for it."""

import gc


def finish_loading() -> None:
    """Load what the first call to a CRM would load, and leave all of it out of Python's collections of garbage."""
    from crm_integrations.providers.registry import all_providers

    all_providers()
    gc.collect()
    gc.freeze()
