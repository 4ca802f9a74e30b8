"""All accounts of the demo, created with believable records on first use."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from demo.zendesk.demo_time import resume_time
from demo.zendesk.job_work import advance_jobs
from demo.zendesk.oauth import index_tokens
from demo.zendesk.seed import seed_account
from demo.zendesk.state import Account
from demo.zendesk.storage import Storage

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
ABSENT_PREFIX = "missing"  # accounts that do not exist, to try wrong subdomains with


@dataclass(frozen=True)
class Client:
    """The OAuth client that every account accepts."""

    client_id: str = "agent_integrations_demo"
    client_secret: str = "demo-secret"  # noqa: S105 - the demo's own, published
    name: str = "Agent Integrations"


class World:
    """Accounts by subdomain, the clocks and the OAuth client. `now` is the machine's time, `time` Zendesk's."""

    def __init__(
        self,
        storage: Storage,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        client: Client | None = None,
        time_scale: float = 1,
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.client = client or Client()
        self.time = resume_time(storage.read_mark("time"), now().timestamp(), time_scale)
        storage.write_mark("time", self.time.export())
        self._storage = storage
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}

    def account(self, subdomain: str) -> Account | None:
        """The account of a subdomain; None when there can be none."""
        found = self._accounts.get(subdomain)
        if found is not None:
            return found
        if not SUBDOMAIN.fullmatch(subdomain) or subdomain.startswith(ABSENT_PREFIX):
            return None
        with self._lock:
            return self._accounts.get(subdomain) or self._open(subdomain)

    def known_subdomains(self) -> list[str]:
        """Accounts that have been used."""
        return sorted({*self._storage.accounts(), *self._accounts})

    def reset(self, account: Account) -> None:
        """Throw everything of an account away and seed it afresh."""
        with account.lock:
            account.clear()
            seed_account(account, self.time.at(self.now()))
            account.commit()
            index_tokens(account)

    def clock(self, account: Account) -> datetime:
        """The account's time now."""
        return account.clock(self.time.at(self.now()))

    def catch_up(self, account: Account) -> datetime:
        """Let bulk jobs do what is due; take the account's lock first. Returns its time."""
        now = self.clock(account)
        advance_jobs(account, now)
        return now

    def close(self) -> None:
        """Store what was put off and close the storage."""
        for account in self._accounts.values():
            with account.lock:
                account.store_feed()
                account.commit()
        self._storage.close()

    def _open(self, subdomain: str) -> Account:
        account = Account(subdomain, self._storage, self.time, self.now)
        if not account.load():
            seed_account(account, self.time.at(self.now()))
            account.commit()
        index_tokens(account)
        self._accounts[subdomain] = account
        return account
