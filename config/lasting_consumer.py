"""The worker's consumer of messages, made to outlive a broker that goes away in the middle of anything."""

import logging

from celery.worker.consumer import Consumer

logger = logging.getLogger(__name__)


class LastingConsumer(Consumer):  # type: ignore[misc]
    """Celery's own, which connects anew whatever closing the lost connection raised.

    A broker that is lost a second time while the connection is closed leaves channels half closed. Closed once more,
    those with messages under way raise an AttributeError (kombu 5.7, Redis), and the worker would end by it.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Drop the lost connection, in good order or not; what it held was only hints."""
        try:
            super().on_connection_error_after_connected(exc)
        except Exception as error:  # noqa: BLE001 - nothing that closing raises is worth a worker
            logger.warning("The lost connection to the broker could not be closed (%s).", type(error).__name__)
