"""Doors for Celery; tasks call one service and may run twice."""

from typing import Any

from celery import shared_task

from crm_integrations.services.authentication_checks import check_all_authentications


@shared_task(name="crm_integrations.tasks.check_authentications")  # type: ignore[untyped-decorator]
def check_authentications(**_: Any) -> None:
    """See whether every system user is still there and what it may do."""
    for _result in check_all_authentications():
        pass
