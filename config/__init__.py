"""Settings, addresses and processes: what ties the parts into one product."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
