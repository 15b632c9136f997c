"""The emulated operations. `python -m localcloud.operations` prints the table for README.md."""

import signal

from localcloud import pubsub, storage, tasks

SERVICES = {"Cloud Storage": storage.operations, "Pub/Sub": pubsub.operations, "Cloud Tasks": tasks.operations}


def table() -> str:
    """A Markdown table with one line per operation."""
    rows = [f"| {service} | `{operation}` |" for service, listed in SERVICES.items() for operation in sorted(listed())]
    return "\n".join(["| service | operation |", "|---|---|", *rows])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends this program silently, as it ends others
    print(table())
