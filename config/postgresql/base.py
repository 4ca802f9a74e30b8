"""PostgreSQL as Django speaks to it, but for the health of kept connections, which is seen without a round trip.

And a server that crashes in the middle of a statement or commit, and a connection that is found closed after it, are
told like a server that is gone at any other time: by an OperationalError.

Django asks `SELECT 1` before the first statement of every request. Whatever a server says as it hangs up – at least the
end of the stream – waits to be read by then, so a connection on which nothing waits is taken for sound.
"""

from select import POLLIN, poll
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property


class DatabaseWrapper(base.DatabaseWrapper):
    """See django.db.backends.postgresql."""

    def is_usable(self) -> bool:
        """Whether the connection works; the server is asked when something waits to be read, or after an error."""
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_news(self.connection.fileno()):
            return bool(super().is_usable())
        return True

    @cached_property
    def wrap_database_errors(self) -> "_ErrorWrapper":
        """Tells the driver's errors as Django's."""
        return _ErrorWrapper(self)


class _ErrorWrapper(DatabaseErrorWrapper):
    """Of a server that crashes meanwhile the driver may say no more than DatabaseError, without a code.

    Of a connection that was closed by that it says InterfaceError, which is no DatabaseError to Django.
    """

    wrapper: base.DatabaseWrapper

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        driver, own = self.wrapper.Database, self.wrapper.connection
        is_gone = exc_type is driver.InterfaceError and own is not None and own.closed
        if is_gone or exc_type is driver.DatabaseError:
            self.wrapper.errors_occurred = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


def _has_news(descriptor: int) -> bool:
    """Whether the other side has sent anything or hung up."""
    watch = poll()
    watch.register(descriptor, POLLIN)
    return bool(watch.poll(0))
