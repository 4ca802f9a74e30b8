"""One account's row, read past the ORM: every turn and every call of a worker begins with it."""

from crm_integrations.models import CRMAccount
from crm_integrations.row_sql import read_rows, soft_row_lock


def read_account(*, account_id: int) -> CRMAccount:
    """The account as it is now. Raises CRMAccount.DoesNotExist."""
    return _read(account_id, "id = %s")


def lock_account(*, account_id: int) -> CRMAccount:
    """The same, locked until the transaction ends; others may refer to it meanwhile."""
    return _read(account_id, f"id = %s{soft_row_lock()}")


def _read(account_id: int, condition: str) -> CRMAccount:
    found = read_rows(CRMAccount, condition, [account_id])
    if not found:
        raise CRMAccount.DoesNotExist
    return found[0]
