"""`manage.py delivery_report`: how many deliveries each configuration has in each state, and the oldest that is due."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Min, Q
from django.utils import timezone

from memorialization.models import Delivery

LAYOUT = "{:<40} {:<10} {:>10}  {}"


class Command(BaseCommand):
    """A table for operators; reads only."""

    help = "Show the deliveries of each configuration by state, with the oldest due time."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the table and a last line with the sum."""
        now = timezone.now()
        due = Q(state=Delivery.State.WAITING, next_attempt_at__lte=now)
        rows = list(
            Delivery.objects.values_list("configuration__name", "state")
            .annotate(count=Count("pk"), oldest=Min("next_attempt_at", filter=due))
            .order_by("configuration__name", "state")
        )
        self.stdout.write(LAYOUT.format("Configuration", "State", "Deliveries", "Oldest due"))
        for name, state, count, oldest in rows:
            self.stdout.write(LAYOUT.format(name[:40], state, count, oldest.isoformat() if oldest else "-"))
        self.stdout.write(self.style.SUCCESS(f"{sum(row[2] for row in rows)} deliveries in all."))
