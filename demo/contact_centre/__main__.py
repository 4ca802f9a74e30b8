"""Command line of the demo contact centre: `python -m demo.contact_centre --target var/demo/target.json`."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from types import FrameType

from demo.contact_centre.app import create_app
from demo.contact_centre.centre import DEFAULT_RATE, RATE_LIMIT, Centre
from demo.contact_centre.storage import Storage
from demo.contact_centre.targets import TargetFile
from demo.zendesk.server import build_server

HOST = "127.0.0.1"  # the page needs no password, so nobody else may reach it


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    port = os.environ.get("DEMO_CONTACT_CENTRE_PORT") or "8901"
    desk = f"http://127.0.0.1:{os.environ.get('DEMO_ZENDESK_PORT') or '8900'}/acme"
    parser = argparse.ArgumentParser(prog="demo.contact_centre", description="Plays calls and chats.")
    parser.add_argument("--port", type=int, default=int(port), help="0: any")
    parser.add_argument("--state", default="var/demo/contact_centre.sqlite3")
    parser.add_argument("--target", default="var/demo/target.json", help="the file that manage.py seed_demo writes")
    parser.add_argument("--zendesk", default=desk, help="whose people and tickets are played; empty: nobody's")
    parser.add_argument(
        "--rate", type=read_rate, help=f"interactions per minute, 0 to stop; default {DEFAULT_RATE:g}, then as last set"
    )
    return parser.parse_args(arguments)


def read_rate(text: str) -> float:
    """A rate within its bounds. Raises ValueError."""
    rate = float(text)
    if not 0 <= rate <= RATE_LIMIT:
        raise ValueError
    return rate


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve and play until SIGTERM or Ctrl-C, then stop cleanly."""
    options = read_arguments(arguments)
    target_file = TargetFile(options.target, desk_url=options.zendesk)
    centre = Centre(Storage(options.state), target_file=target_file, now=lambda: datetime.now(UTC), rate=options.rate)
    try:
        server = build_server(create_app(centre), HOST, options.port)
    except OSError as error:
        sys.stderr.write(f"demo contact centre cannot listen on {HOST}:{options.port}: {error.strerror}\n")
        return 1

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the serving loop, which runs in this very thread
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    centre.start()
    sys.stdout.write(f"demo contact centre ready on http://{HOST}:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    centre.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
