"""Zendesk as an integration type."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.providers.base import (
    CallGate,
    CallLimit,
    CreationRequest,
    CRMConnection,
    CRMProvider,
    CRMRecord,
    PersonClues,
    SearchCriterion,
    TokenGrant,
)
from crm_integrations.providers.zendesk.connection import ZendeskConnection
from crm_integrations.providers.zendesk.creation_bodies import read_creation
from crm_integrations.providers.zendesk.errors import translated_errors
from crm_integrations.providers.zendesk.filters import read_filter
from crm_integrations.providers.zendesk.forms import ZendeskAuthenticationForm
from crm_integrations.providers.zendesk.limit_labels import LIMIT_LABELS
from crm_integrations.providers.zendesk.limits import LIMITS, leave_gate, request_classes, write_classes
from crm_integrations.providers.zendesk.names import LookupTargets
from crm_integrations.providers.zendesk.new_records import CASE, PERSON, build_case, build_follow_up, build_person
from crm_integrations.providers.zendesk.rights import RIGHT_LABELS
from crm_integrations.providers.zendesk.scopes import SCOPES, find_missing_scopes
from zendesk_client import (
    IdleSessions,
    LimitReport,
    MarketplaceHeaders,
    OAuthClient,
    Timeouts,
    TokenPair,
    ZendeskClient,
)

PUBLIC_URL = "https://{address}.zendesk.com"
HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+")
LOCAL_HOSTS = {"127.0.0.1", "localhost"}  # the demo's
RECORD_PATHS = {"ticket": "agent/tickets/{id}", "user": "agent/users/{id}", "organization": "agent/organizations/{id}"}
OBJECT_RECORD_PATH = "agent/custom-objects/{object}/records/{id}"


class ZendeskProvider(CRMProvider):
    """Zendesk Support accounts, by their subdomain."""

    slug = "zendesk"
    label = "Zendesk"
    person_type = PERSON
    case_type = CASE
    asks_external_domain = True
    external_domain_label = "external_screenpop_domain_zen"
    authentication_form = ZendeskAuthenticationForm
    right_labels: ClassVar[Mapping[str, str | Promise]] = RIGHT_LABELS
    limits: ClassVar[Sequence[CallLimit]] = LIMITS
    limit_labels: ClassVar[Mapping[str, str | Promise]] = LIMIT_LABELS
    default_record_variables: ClassVar[Mapping[str, str]] = {
        "ticket": "zendesk_ticket_id",
        "user": "zendesk_user_id",
        "organization": "zendesk_organization_id",
    }

    def __init__(self) -> None:
        self._targets = LookupTargets()
        self._sessions = IdleSessions()

    def account_url(self, address: str) -> str:
        """See the port. The demo's accounts live under its own address."""
        if "zendesk.com" in settings.ZENDESK_BASE_URL:
            return PUBLIC_URL.format(address=address)
        return settings.ZENDESK_BASE_URL.replace("{subdomain}", address)

    def record_url(self, address: str, external_domain: str, entity_type: str, record_id: str) -> str:
        """See the port."""
        template = RECORD_PATHS.get(entity_type, OBJECT_RECORD_PATH)
        path = template.format(id=quote(record_id, safe=""), object=quote(entity_type.partition(":")[2], safe=""))
        return f"{external_domain or self.account_url(address)}/{path}"

    def clean_external_domain(self, text: str) -> str:
        """See the port. Only ever used in links for people, so a host-mapped domain is fine."""
        pasted = text.strip()
        try:
            parts = urlsplit(pasted if "://" in pasted else f"https://{pasted}")
            host, is_plain = parts.hostname or "", parts.username is None and parts.port is None
        except ValueError:  # a port that is no number, brackets that do not close
            parts, host, is_plain = urlsplit(""), "", False
        if host in LOCAL_HOSTS and "zendesk.com" not in settings.ZENDESK_BASE_URL and _is_web_address(parts):
            return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        if parts.scheme != "https" or not is_plain or not HOST.fullmatch(host):
            raise ValueError(_("Paste the address of your Zendesk, for example https://ven12345.zendesk.com."))
        return f"https://{host}"

    def begin_consent(self, address: str, *, state: str, redirect_uri: str) -> tuple[str, str]:
        """See the port."""
        request = self._oauth(address, redirect_uri).build_authorization(SCOPES, state=state)
        return request.url, request.code_verifier

    def finish_consent(self, address: str, *, code: str, verifier: str, redirect_uri: str) -> TokenGrant:
        """See the port."""
        with translated_errors():
            return _build_grant(self._oauth(address, redirect_uri).exchange_code(code, verifier, SCOPES))

    def refresh(self, address: str, *, refresh_token: str) -> TokenGrant:
        """See the port."""
        with translated_errors():
            return _build_grant(self._oauth(address).refresh(refresh_token))

    def revoke(self, address: str, *, access_token: str) -> None:
        """See the port."""
        with translated_errors():
            self._oauth(address).revoke(access_token)

    def missing_scopes(self, granted: Sequence[str]) -> list[str]:
        """See the port."""
        return find_missing_scopes(granted)

    def read_filter(self, text: str) -> list[SearchCriterion]:
        """See the port."""
        return read_filter(text)

    def read_creation(
        self, entity_type: str, body: Mapping[str, Any], *, is_standard_only: bool = False
    ) -> CreationRequest:
        """See the port."""
        return read_creation(entity_type, body, is_standard_only=is_standard_only)

    def build_follow_up(self, record: CRMRecord, subject: str, text: str) -> CreationRequest:
        """See the port."""
        return build_follow_up(record, subject, text)

    def build_case(self, *, subject: str, text: str, owner_id: str) -> CreationRequest:
        """See the port."""
        return build_case(subject=subject, text=text, owner_id=owner_id)

    def build_person(self, *, name: str, clues: PersonClues) -> CreationRequest:
        """See the port."""
        return build_person(name=name, clues=clues)

    def write_classes(self, entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
        """See the port."""
        return write_classes(entity_type, is_bulk=is_bulk)

    def connect(
        self, address: str, *, access_token: str, options: Mapping[str, str], gate: CallGate | None = None
    ) -> CRMConnection:
        """See the port. `options` are the cleaned fields of the Authentication window."""
        reports: dict[str, LimitReport] = {}
        account = self.account_url(address)
        client = ZendeskClient(
            address,
            access_token,
            base_url_template=settings.ZENDESK_BASE_URL,
            marketplace=MarketplaceHeaders(
                app_id=options.get("app_id", ""),
                organization_id=options.get("organization_id", ""),
                name=options.get("marketplace_name", ""),
            ),
            timeouts=_timeouts(),
            session=self._sessions.take(account),
            end_session=lambda session: self._sessions.give(account, session),
            on_limits=lambda found: reports.update({report.limit_class: report for report in found}),
            before_call=(lambda method, path: gate.enter(request_classes(method, path))) if gate else None,
            after_call=(lambda call: leave_gate(gate, call)) if gate else None,
        )
        return ZendeskConnection(client, reports, account=account, targets=self._targets)

    def _oauth(self, address: str, redirect_uri: str = "") -> OAuthClient:
        return OAuthClient(
            address,
            client_id=settings.ZENDESK_OAUTH_CLIENT_ID,
            client_secret=settings.ZENDESK_OAUTH_CLIENT_SECRET,
            redirect_uri=redirect_uri,
            base_url_template=settings.ZENDESK_BASE_URL,
            timeouts=_timeouts(),
        )


def _is_web_address(parts: SplitResult) -> bool:
    return parts.scheme in {"http", "https"} and parts.username is None


def _timeouts() -> Timeouts:
    return Timeouts(
        connect_s=settings.CONNECT_TIMEOUT_S, read_s=settings.READ_TIMEOUT_S, total_s=settings.CALL_TIMEOUT_S
    )


def _build_grant(pair: TokenPair) -> TokenGrant:
    now = timezone.now()
    return TokenGrant(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        access_expires_at=_moment(now, pair.expires_in_s),
        refresh_expires_at=_moment(now, pair.refresh_expires_in_s),
        scopes=tuple(sorted(pair.scopes)),
    )


def _moment(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
