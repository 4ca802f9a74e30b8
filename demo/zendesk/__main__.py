"""Command line of the demo Zendesk: `python -m demo.zendesk --port 8900 --state var/demo/zendesk.sqlite3`.

`--time-scale N` (1 to 20, or DEMO_ZENDESK_TIME_SCALE) lets Zendesk's own time run N times faster: see `demo_time`.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from demo.zendesk.app import create_app
from demo.zendesk.server import build_server
from demo.zendesk.world import Client

HOST = "127.0.0.1"  # the switchboard needs no password, so nobody else may reach it


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; every option has an environment variable behind it."""
    parser = argparse.ArgumentParser(prog="demo.zendesk", description="A Zendesk to try everything with.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("DEMO_ZENDESK_PORT", "8900")), help="0: any")
    parser.add_argument("--state", default=os.environ.get("DEMO_ZENDESK_STATE", "var/demo/zendesk.sqlite3"))
    scale = os.environ.get("DEMO_ZENDESK_TIME_SCALE", "1")
    parser.add_argument("--time-scale", type=float, default=float(scale), help="Zendesk's time runs that much faster")
    parser.add_argument("--client-id", default=os.environ.get("DEMO_ZENDESK_CLIENT_ID", Client.client_id))
    parser.add_argument("--client-secret", default=os.environ.get("DEMO_ZENDESK_CLIENT_SECRET", Client.client_secret))
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, then stop cleanly."""
    options = read_arguments(arguments)
    client = Client(options.client_id, options.client_secret)
    try:
        app = create_app(options.state, client=client, time_scale=options.time_scale)
    except ValueError as error:
        sys.stderr.write(f"demo zendesk: {error}\n")
        return 2
    try:
        server = build_server(app, HOST, options.port)
    except OSError as error:
        sys.stderr.write(f"demo zendesk cannot listen on {HOST}:{options.port}: {error.strerror}\n")
        return 1

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the serving loop, which runs in this very thread
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"demo zendesk ready on http://{HOST}:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    app.extensions["world"].close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
