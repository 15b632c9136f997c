"""The command `fault …`: plants faults in a running local cloud."""

import argparse
import json
import urllib.error
import urllib.request
from typing import Any

from localcloud.address import HOST, Ports
from localcloud.faults.control import CONTROL_PATH
from localcloud.faults.rules import KINDS, SERVICES, STREAMS

JSON = {"content-type": "application/json"}
EXAMPLES = """examples:
  fault drop notifications --next 3                    lose the next three notifications of buckets
  fault repeat messages --match topics/completions     publish the next message to that topic twice
  fault delay notifications --seconds 5                delay the next notification by five seconds
  fault reorder notifications --next 4                 reverse the order of the next four
  fault answer storage --status 503 --match 'POST /upload' --next 2
  fault cut storage --after-bytes 100000 --match upload
  fault freeze pubsub                                  hold every call until: fault thaw pubsub
  fault list                                           list the rules in force
  fault clear                                          end all rules"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=[*KINDS, "thaw", "list", "clear"])
    parser.add_argument("place", nargs="?", choices=[*SERVICES, *STREAMS], help="a service or a stream of messages")
    parser.add_argument("--match", default="", metavar="REGEX", help="only calls (`METHOD /path?query`) or topics that match")
    parser.add_argument("--next", type=int, default=1, metavar="N", help="number of calls or messages to hit (default: 1)")
    parser.add_argument("--status", type=int, default=0, help="answer: the HTTP status")
    parser.add_argument("--after-bytes", type=int, default=0, metavar="N", help="cut: bytes of the bodies before the cut")
    parser.add_argument("--seconds", type=float, default=0.0, help="delay: its length")


def fault(options: argparse.Namespace) -> int:
    """Run the command and print the rules in force. Raises SystemExit with a message when it fails."""
    if options.kind == "list":
        rules = _call("GET", options)
    elif options.kind == "clear":
        rules = _call("DELETE", options)
    elif options.kind == "thaw":
        rules = _call("DELETE", options, f"?thaw={options.place or ''}")
    else:
        rules = _call("POST", options, "", _rule(options))
    print("\n".join(json.dumps(rule) for rule in rules) or "no fault is planted")
    return 0


def _rule(options: argparse.Namespace) -> dict[str, Any]:
    fields = {name: getattr(options, name) for name in ("kind", "match", "status", "after_bytes", "seconds")}
    return fields | {"place": options.place or "", "left": options.next}


def _call(method: str, options: argparse.Namespace, query: str = "", body: dict[str, Any] | None = None) -> Any:
    url = f"http://{HOST}:{Ports(options.port_offset).tasks}{CONTROL_PATH}{query}"
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, JSON, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"error: {json.load(error)['error']}") from None
    except OSError:
        raise SystemExit(f"error: no local cloud answers at {url}; start one: python -m localcloud up") from None
