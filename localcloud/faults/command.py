"""The command `fault …`: plants faults in a running local cloud."""

import argparse
import json
from typing import Any

from localcloud.control import ask
from localcloud.faults.control import FAULTS_PATH
from localcloud.faults.rules import KINDS, SERVICES, STREAMS

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
        rules = ask("GET", FAULTS_PATH, options)
    elif options.kind == "clear":
        rules = ask("DELETE", FAULTS_PATH, options)
    elif options.kind == "thaw":
        rules = ask("DELETE", f"{FAULTS_PATH}?thaw={options.place or ''}", options)
    else:
        rules = ask("POST", FAULTS_PATH, options, _rule(options))
    print("\n".join(json.dumps(rule) for rule in rules) or "no fault is planted")
    return 0


def _rule(options: argparse.Namespace) -> dict[str, Any]:
    fields = {name: getattr(options, name) for name in ("kind", "match", "status", "after_bytes", "seconds")}
    return fields | {"place": options.place or "", "left": options.next}
