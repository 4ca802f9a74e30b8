"""The one table of the bare view."""

from django.db import models


class BareEvent(models.Model):
    """What the plainest possible inbox keeps of an event."""

    event_id = models.CharField(max_length=200)
    body = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"
