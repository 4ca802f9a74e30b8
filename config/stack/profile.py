"""What `make run` gives every process of the embedded product to know: addresses, ports, secrets, folders."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import env
from config.stack.processes import BASE_DIR

DEMO_CONFIGURATION_FILE = Path("demo") / "target.json"
GENERATED_SECRETS = {"SECRET_KEY": False, "ENCRYPTION_KEYS": True}  # name → whether it is a Fernet key


@dataclass(frozen=True)
class Profile:
    """The choices of one start."""

    var_dir: Path
    port: int
    demo_zendesk_port: int
    demo_contact_centre_port: int
    has_demo: bool
    web_processes: int
    site_url: str
    zendesk_base_url: str
    redis_url: str
    database_url: str
    has_bundled_postgres: bool

    @property
    def demo_target(self) -> Path:
        """Where seeding leaves the address and intake key for the contact centre."""
        return self.var_dir / DEMO_CONFIGURATION_FILE


def read_profile() -> Profile:
    """The choices from the environment and `.env`; raises ImproperlyConfigured with a sentence."""
    env.load_dotenv(BASE_DIR / ".env")
    port = env.integer("PORT", 8000)
    demo_zendesk_port = env.integer("DEMO_ZENDESK_PORT", 8900)
    own_zendesk = env.text("ZENDESK_BASE_URL")
    demo_zendesk = f"http://127.0.0.1:{demo_zendesk_port}/{{subdomain}}"
    return Profile(
        var_dir=Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve(),
        port=port,
        demo_zendesk_port=demo_zendesk_port,
        demo_contact_centre_port=env.integer("DEMO_CONTACT_CENTRE_PORT", 8901),
        # The demo is played only against its own Zendesk, never against a real account.
        has_demo=env.boolean("DEMO", default=True) and own_zendesk in {"", demo_zendesk},
        web_processes=env.integer("WEB_CONCURRENCY", 2),
        site_url=env.text("SITE_URL", f"http://localhost:{port}").rstrip("/"),
        zendesk_base_url=own_zendesk,
        redis_url=env.text("REDIS_URL"),
        database_url=env.text("DATABASE_URL"),
        has_bundled_postgres=env.text("DB").lower() in {"postgres", "postgresql"},
    )


def process_environment(profile: Profile, *, redis_url: str, database_url: str) -> dict[str, str]:
    """The environment of every child: ours, with what this start decided."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "VAR_DIR": str(profile.var_dir)}
    environment |= {"PORT": str(profile.port), "SITE_URL": profile.site_url, "REDIS_URL": redis_url}
    if profile.has_demo:
        environment["ZENDESK_BASE_URL"] = f"http://127.0.0.1:{profile.demo_zendesk_port}/{{subdomain}}"
    if database_url:
        environment["DATABASE_URL"] = database_url
    if profile.has_bundled_postgres:
        environment |= _embedded_secrets(profile.var_dir, environment)
    return environment


def _embedded_secrets(var_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets the settings would make by themselves on SQLite; the bundled PostgreSQL is embedded just as well."""
    secrets = {
        name: env.generated_secret(name, folder=var_dir, is_embedded=True, fernet=is_fernet)
        for name, is_fernet in GENERATED_SECRETS.items()
    }
    secrets["ZENDESK_OAUTH_CLIENT_ID"] = environment.get("ZENDESK_OAUTH_CLIENT_ID", "agent_integrations_demo")
    secrets["ZENDESK_OAUTH_CLIENT_SECRET"] = environment.get("ZENDESK_OAUTH_CLIENT_SECRET", "demo-secret")
    return secrets
