"""The list price of the calls that the local cloud counted; README.md has the sources."""

from collections.abc import Mapping

from shared.operations.prices import CLASS_A, CLASS_B, PUBSUB_TIB, TASKS

#: Pub/Sub bills at least so many bytes for a request. The notification of an upload is about as large.
PUBSUB_MIN_BYTES = 1000
#: The write of an upload, and its notification.
UPLOAD = CLASS_A + CLASS_B


def dollars(calls: Mapping[tuple[str, str, str], float], notice_bytes: float) -> dict[str, float]:
    """Dollars per million files by service; `calls` are per file. One subscriber receives the notices."""
    storage = sum(number for (service, _, _), number in calls.items() if service == "storage")
    reads = sum(number for (service, operation, _), number in calls.items() if service == "storage" and _is_read(operation))
    tasks = sum(number for (service, _, _), number in calls.items() if service == "tasks")
    # Each message is published and delivered.
    pubsub_bytes = 2 * (PUBSUB_MIN_BYTES + max(notice_bytes, PUBSUB_MIN_BYTES))
    return {
        "class A": (storage - reads) * CLASS_A,
        "class B": reads * CLASS_B,
        "Cloud Tasks": tasks * TASKS,
        "Pub/Sub": pubsub_bytes * 1e6 / 2**40 * PUBSUB_TIB,
    }


def _is_read(operation: str) -> bool:
    """Whether Cloud Storage bills it as class B; lists are class A."""
    return operation.startswith(("objects.get", "XML: GET object", "XML: HEAD object"))
