"""The same with `zenpy`, which waits for Retry-After by itself; see `plain` for what goes in and comes out."""

import json
import logging
import sys
import time

import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Ticket, User


class ToDemo(HTTPAdapter):
    """Carries calls for Zendesk's own address to the demo, and counts them."""

    def __init__(self, front: str) -> None:
        super().__init__()
        self.front, self.calls, self.limited = front, 0, 0

    def send(self, request, **options):
        request.url = self.front + request.url.partition(".zendesk.com")[2]
        answer = super().send(request, **options)
        self.calls += 1
        self.limited += answer.status_code == 429
        return answer


def main() -> None:
    """Write every record."""
    asked = json.load(sys.stdin)
    adapter = ToDemo(f"{asked['url']}/{asked['subdomain']}")
    logging.disable()  # it warns at each wait
    session = requests.Session()
    session.mount("https://", adapter)
    client = Zenpy(subdomain=asked["subdomain"], session=session, oauth_token=asked["token"])
    write = {
        "tickets": lambda key, values: client.tickets.update(Ticket(id=int(key), **values)),
        "users": lambda key, values: client.users.update(User(id=int(key), **values)),
    }
    done_s = []
    began, began_cpu = time.monotonic(), time.process_time()
    for kind, record_id, values in asked["writes"]:
        write[kind](record_id, values)
        done_s.append(time.monotonic() - began)
    cpu_s = time.process_time() - began_cpu
    print(json.dumps({"done_s": done_s, "calls": adapter.calls, "limited": adapter.limited, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main()
