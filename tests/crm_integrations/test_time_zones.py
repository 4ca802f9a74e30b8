"""Names of time zones are read once: each customer card compares one."""

import zoneinfo

from crm_integrations.time_zones import time_zone_names


def test_the_names_are_read_from_the_disk_once(monkeypatch):
    known = time_zone_names()
    monkeypatch.setattr(zoneinfo, "available_timezones", None)
    assert time_zone_names() is known and {"America/Toronto", "UTC"} <= known and "Mars/Base" not in known
