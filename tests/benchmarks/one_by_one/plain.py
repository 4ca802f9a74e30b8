"""A plain client with `requests`: one record at a time over one connection, honouring Retry-After.

A program of its own. Reads {"url", "subdomain", "token", "writes": [[kind, id, values], …]}, answers on one line
{"done_s": when each record was written, "calls", "limited", "cpu_s"}.
"""

import json
import sys
import time

import requests

SINGULAR = {"tickets": "ticket", "users": "user"}


def main() -> None:
    """Write every record."""
    asked = json.load(sys.stdin)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {asked['token']}"
    done_s, calls, limited = [], 0, 0
    began, began_cpu = time.monotonic(), time.process_time()
    for kind, record_id, values in asked["writes"]:
        url = f"{asked['url']}/{asked['subdomain']}/api/v2/{kind}/{record_id}.json"
        while True:
            answer = session.put(url, json={SINGULAR[kind]: values}, timeout=60)
            calls += 1
            if answer.status_code != 429:
                break
            limited += 1
            time.sleep(int(answer.headers["Retry-After"]))
        answer.raise_for_status()
        answer.json()
        done_s.append(time.monotonic() - began)
    cpu_s = time.process_time() - began_cpu
    print(json.dumps({"done_s": done_s, "calls": calls, "limited": limited, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main()
