"""Heartbeats: when each part of the engine last did its round, whatever there was to do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """The last time something that must happen again and again happened, e.g. `sweep`, and how often it did.

    Workers have one each (`worker:` and their host), and one for every time they started themselves again (`restart:`).
    """

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    at = models.DateTimeField(_("at"))
    count = models.PositiveBigIntegerField(_("count"), default=0)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
