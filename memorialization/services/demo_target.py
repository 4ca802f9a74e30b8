"""The private file that tells the demo contact centre where to send events, and the intake key in it.

The file is the only place where the key's text is. As long as it opens the configuration it is kept; when the file is
lost or its key has ended, a new key is made, the file is written, and then the older ones are revoked: killed in
between, the next seeding does the rest.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from crm_integrations.models import Configuration, IntakeKey, User
from crm_integrations.services.intake_keys import create_key, revoke_key
from crm_integrations.services.senders import find_bearer

KEY_LABEL = "Demo contact centre"


@dataclass(frozen=True, slots=True)
class DemoTarget:
    """What the file says; its keys are the contact centre's contract."""

    configuration_id: str
    events_url: str
    product_url: str
    intake_key: str = field(repr=False)


def provide_target(*, configuration: Configuration, path: Path, actor: User, now: datetime) -> bool:
    """Bring the file up to date; whether a new intake key was made for it."""
    kept = _read_key(path)
    if kept and find_bearer(configuration_id=configuration.pk, key=kept, now=now):
        _write_private(path, _describe(configuration, kept))
        return False
    key, text = create_key(
        configuration=configuration, kind=IntakeKey.Kind.BEARER, label=KEY_LABEL, actor=actor, now=now
    )
    _write_private(path, _describe(configuration, text))
    for older in configuration.intake_keys.filter(label=KEY_LABEL, revoked_at=None).exclude(pk=key.pk):
        revoke_key(key=older, actor=actor, now=now)
    return True


def _describe(configuration: Configuration, intake_key: str) -> DemoTarget:
    events_url = f"{settings.SITE_URL}/api/v1/configurations/{configuration.pk}/events"
    product_url = settings.SITE_URL + reverse("configuration_detail", args=[configuration.pk])
    return DemoTarget(str(configuration.pk), events_url, product_url, intake_key)


def _read_key(path: Path) -> str:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    key = said.get("intake_key") if isinstance(said, dict) else None
    return key if isinstance(key, str) else ""


def _write_private(path: Path, target: DemoTarget) -> None:
    """Whole or not at all, and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(target), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
