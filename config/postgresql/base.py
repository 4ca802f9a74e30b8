"""PostgreSQL as Django speaks to it, but for the health of kept connections, which is seen without a round trip.

And a server that is gone as something is committed is told like one that is gone at any other time.

Django asks `SELECT 1` before the first statement of every request. Whatever a server says as it hangs up – at least the
end of the stream – waits to be read by then, so a connection on which nothing waits is taken for sound.
"""

from select import POLLIN, poll

from django.db import DatabaseError, OperationalError
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """See django.db.backends.postgresql."""

    def is_usable(self) -> bool:
        """Whether the connection works; the server is asked when something waits to be read, or after an error."""
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_news(self.connection.fileno()):
            return bool(super().is_usable())
        return True

    def _commit(self) -> None:
        """Of a server that crashes meanwhile the driver may say no more than DatabaseError, without a code."""
        try:
            super()._commit()  # type: ignore[misc] # django-stubs does not know it
        except DatabaseError as error:
            if type(error) is DatabaseError:
                raise OperationalError(*error.args) from error
            raise


def _has_news(descriptor: int) -> bool:
    """Whether the other side has sent anything or hung up."""
    watch = poll()
    watch.register(descriptor, POLLIN)
    return bool(watch.poll(0))
