"""What a row plays on: fresh accounts of the demo Zendesk, each with active configurations and their mappings.

Imported only after Django was set up on the profile's database.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration, CRMAccount, IntakeKey
from crm_integrations.services.catalogue import read_fields
from crm_integrations.services.intake_keys import create_key
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft
from memorialization.models import Attempt, Delivery, Interaction, InteractionEvent, RecordLane
from memorialization.services.mappings import create_mapping
from tests.faults.load import CALLER_VARIABLE, MAPPED, Records
from tests.faults.sender import Door
from tests.faults.zendesk_account import ZendeskAccount

TICKETS_ONLY = ("fields", "notes")
UNFINISHED = (Delivery.State.WAITING, Delivery.State.SENDING)


@dataclass
class Scene:
    """The accounts of one row, and what the ledger says about them."""

    accounts: list[ZendeskAccount] = field(default_factory=list)
    records: list[Records] = field(default_factory=list)
    doors: dict[tuple[str, str], Door] = field(default_factory=dict)
    configurations: list[Configuration] = field(default_factory=list)

    @property
    def account_rows(self) -> list[CRMAccount]:
        """The product's rows of the accounts, in their order."""
        rows = {row.address: row for row in CRMAccount.objects.filter(address__in=[a.subdomain for a in self.accounts])}
        return [rows[account.subdomain] for account in self.accounts]

    def deliveries(self, account: ZendeskAccount | None = None) -> QuerySet[Delivery]:
        """The row's deliveries, of one account or all."""
        names = [account.subdomain] if account else [each.subdomain for each in self.accounts]
        return Delivery.objects.filter(configuration__authentication__account__address__in=names)

    def is_finished(self) -> bool:
        """Whether nothing waits any more; False also while the database cannot tell."""
        try:
            if InteractionEvent.objects.filter(configuration__in=self.configurations, contact=None).exists():
                return False
            if self.deliveries().filter(state__in=UNFINISHED).exists():
                return False
            theirs = Interaction.objects.filter(configuration__in=self.configurations)
            return not theirs.filter(Q(state__in=["waiting", "due"]) | Q(match_due_at__isnull=False)).exists()
        except DatabaseError:
            connection.close()
            return False

    def finished_count(self) -> int:
        """How many deliveries are over; 0 while the database cannot tell."""
        try:
            return self.deliveries().exclude(state__in=UNFINISHED).count()
        except DatabaseError:
            connection.close()
            return 0

    def outcomes(self) -> Counter[tuple[str, str]]:
        """How many deliveries ended how, by state and reason."""
        return Counter(self.deliveries().values_list("state", "reason"))

    def most_tries(self) -> int:
        """The largest number of counted tries of a delivery."""
        return max(self.deliveries().values_list("attempt_count", flat=True), default=0)

    def leftovers(self, *, besides_bulk_writes: bool = False) -> list[str]:
        """What must not be left once everything is delivered; those under way belong to no process."""
        lanes = RecordLane.objects.filter(account__in=self.account_rows)
        attempts = Attempt.objects.filter(lane__in=lanes, outcome="started")
        if besides_bulk_writes:
            lanes, attempts = lanes.filter(bulk_write=None), attempts.filter(bulk_write=None)
        found = {
            "attempts without an end": attempts.count(),
            "lanes still leased": lanes.exclude(lease=None).count(),
        }
        return [f"{count} {words}" for words, count in found.items() if count]

    def authorise_again(self, account: ZendeskAccount) -> None:
        """What re-authentication leaves behind: a fresh pair and an active authentication."""
        pair = account.mint_pair()
        for row in Authentication.objects.filter(account__address=account.subdomain):
            row.access_token, row.refresh_token = pair["access_token"], pair["refresh_token"]
            row.access_expires_at = timezone.now() + timezone.timedelta(hours=2)
            row.token_version += 1
            row.state, row.state_reason, row.state_changed_at = Authentication.State.ACTIVE, "", timezone.now()
            row.save()

    def abandon(self) -> None:
        """Let nothing of this row be sent any more."""
        Configuration.objects.filter(pk__in=[each.pk for each in self.configurations]).update(state="inactive")


def make_scene(
    *, zendesk_url: str, web_url: str, names: Sequence[str], tickets: int, users: int = 0, plan: str = "", seed: int = 1
) -> Scene:
    """Accounts of these names with so many tickets and users each, limited like a plan of Zendesk or not at all."""
    scene = Scene()
    for name in names:
        account = ZendeskAccount(zendesk_url, name)
        account.ask("limits", {"enabled": False})
        authentication = _make_authentication(account)
        for role in MAPPED if users else TICKETS_ONLY:
            configuration = _make_configuration(account, authentication, role)
            _key, text = create_key(
                configuration=configuration, kind=IntakeKey.Kind.BEARER, label="Faults", actor=None, now=timezone.now()
            )
            url = f"{web_url}/api/v1/configurations/{configuration.pk}/events"
            scene.doors[name, role] = Door(url, text)
            scene.configurations.append(configuration)
        made = account.open_tickets(tickets), account.field_id("Call notes"), account.make_users(users)
        scene.records.append(Records(name, *made, account.organizations() if users else ()))
        account.ask("limits", {"enabled": bool(plan), "plan": plan or "enterprise"})
        account.ask("seed", {"seed": seed})
        account.begin()
        scene.accounts.append(account)
    return scene


def _make_authentication(account: ZendeskAccount) -> Authentication:
    pair = account.mint_pair()
    row, _is_new = CRMAccount.objects.get_or_create(provider="zendesk", address=account.subdomain)
    return Authentication.objects.create(
        account=row,
        name=f"{account.subdomain} (system user)",
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        access_expires_at=timezone.now() + timezone.timedelta(hours=2),
        system_user_id=str(pair["user_id"]),
    )


def _make_configuration(account: ZendeskAccount, authentication: Authentication, role: str) -> Configuration:
    configuration = Configuration.objects.create(
        integration_type="zendesk",
        name=f"{account.subdomain} {role}",
        authentication=authentication,
        state=Configuration.State.ACTIVE,
        external_domain=f"https://{account.subdomain}.zendesk.com",
        searches_records=role == "callers",
        external_id_variable=CALLER_VARIABLE if role == "callers" else "",
    )
    entity_type, wanted = MAPPED[role]
    fields = read_fields(authentication=authentication, entity_type=entity_type)
    keys = {name: each.key for name, _source in wanted for each in fields if name in (each.key, each.title)}
    rows = tuple(RowDraft(keys[name], "voice", source) for name, source in wanted)
    draft = MappingDraft(name=role, description="", is_active=True, entities=(EntityDraft(entity_type, rows),))
    create_mapping(configuration=configuration, draft=draft, actor=None)
    return configuration
