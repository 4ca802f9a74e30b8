"""The demo Zendesk as a source of people and open tickets, asked now and then; without it everything still works."""

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from demo.contact_centre.customers import CustomerBook, build_book
from demo.contact_centre.sending import new_session

TIMEOUT_S = 3
FRESH_S = 60.0
RETRY_S = 10.0


class Desk:
    """The customer books of demo Zendesk accounts, by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._books: dict[str, CustomerBook] = {}
        self._ask_at: dict[str, float] = {}

    def book_of(self, desk_url: str) -> CustomerBook:
        """The people of the account; the last known ones, else strangers, while it does not answer."""
        with self._lock:
            if desk_url and self._clock() >= self._ask_at.get(desk_url, 0.0):
                self._ask(desk_url)
            return self._books.get(desk_url, CustomerBook())

    def _ask(self, desk_url: str) -> None:
        try:
            self._books[desk_url] = fetch_book(desk_url)
            self._ask_at[desk_url] = self._clock() + FRESH_S
        except (requests.RequestException, ValueError, KeyError, TypeError):
            self._ask_at[desk_url] = self._clock() + RETRY_S


def fetch_book(desk_url: str) -> CustomerBook:
    """Ask the control API of the account at `http://host:port/<subdomain>`."""
    parts = urlsplit(desk_url)
    records = f"{parts.scheme}://{parts.netloc}/_control{parts.path.rstrip('/')}/records"
    with new_session() as session:
        users = session.get(f"{records}/users", timeout=TIMEOUT_S)
        tickets = session.get(f"{records}/tickets", timeout=TIMEOUT_S)
    users.raise_for_status()
    tickets.raise_for_status()
    return build_book(users.json()["users"], tickets.json()["tickets"])
