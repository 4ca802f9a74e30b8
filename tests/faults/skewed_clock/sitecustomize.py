"""Put on PYTHONPATH of a worker: its clock goes wrong by CLOCK_SKEW_S seconds. For tests only.

Covers what the product and its libraries read: time.time and Django's timezone.now. Monotonic time stays right, as it
does when a host's clock is off.
"""

import os
import time
from datetime import timedelta

skew_s = float(os.environ.get("CLOCK_SKEW_S", "0"))
if skew_s:
    from django.utils import timezone

    right_time, right_now = time.time, timezone.now
    time.time = lambda: right_time() + skew_s
    timezone.now = lambda: right_now() + timedelta(seconds=skew_s)
