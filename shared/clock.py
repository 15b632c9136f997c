"""The time, as manifests and notes carry it."""

from datetime import UTC, datetime


def now() -> str:
    """Now, RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
