"""A configuration that is connected to an account of the demo Zendesk, without walking there."""

from typing import Any

from crm_integrations.models import Authentication, Configuration, CRMAccount
from crm_integrations.providers.zendesk.scopes import SCOPES
from crm_integrations.services.roles import Role, assign_role, create_roles
from tests.browser.demo_account import DemoAccount
from tests.factories import make_authentication, make_configuration, make_user


def make_administrator(**columns: Any) -> Any:
    """Somebody who may do everything."""
    create_roles()
    user = make_user(**columns)
    assign_role(user=user, role=Role.ADMINISTRATOR)
    return user


def connect(account: DemoAccount, **columns: Any) -> Configuration:
    """An active configuration whose tokens the account knows."""
    pair = account.change("tokens", expires_in=7200, scopes=list(SCOPES))
    own = CRMAccount.objects.create(provider="zendesk", address=account.subdomain)
    authentication: Authentication = make_authentication(
        address=account.subdomain,
        name=f"Zendesk {account.subdomain}",
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        granted_scopes=list(SCOPES),
        system_user_id=str(pair["user_id"]),
        system_user_name="Integration System User",
        system_user_email=f"system.user@{account.subdomain}.example",
    )
    made_beside, authentication.account = authentication.account, own
    authentication.save(update_fields=["account"])
    made_beside.delete()
    variables = {"ticket": "zendesk_ticket_id", "user": "zendesk_user_id"}
    columns = {"name": "Service à la clientèle", "record_variables": variables} | columns
    return make_configuration(authentication=authentication, integration_type="zendesk", **columns)
