"""Whose fault a refusal is: a delivery's, or nobody's because the system user may not act any more."""

from dataclasses import dataclass, field

from crm_integrations.providers.base import CRMConnection
from crm_integrations.providers.errors import AccessDenied, CRMError, CRMUnavailable, Misconfigured


def find_cause(connection: CRMConnection, entity_type: str, error: CRMError) -> CRMError:
    """The error that counts: it is nobody's fault when the system user may not write any more, or is gone.

    Nor is it when the account is not there at all.
    """
    try:
        connection.confirm_writing(entity_type)
    except Misconfigured as other:
        return CRMUnavailable(other.message, may_have_applied=False, status=other.status)
    except CRMError as other:
        return other
    return error


@dataclass
class AccessCheck:
    """Whether a CRM that refused a question answers others; asked at most once with success, for one interaction."""

    connection: CRMConnection
    _is_confirmed: bool = field(default=False, init=False)

    def accept(self, error: Exception, entity_type: str) -> None:
        """Return when the refusal is an answer. Raises GrantEnded or another CRMError when it says nothing.

        `entity_type`: of the records that are to be written in the end.
        """
        if self._is_confirmed or not isinstance(error, AccessDenied | Misconfigured):
            return
        cause = find_cause(self.connection, entity_type, error)
        if cause is not error:
            raise cause from error
        self._is_confirmed = True
