"""Times for people. Pure."""

from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def ago(time: str, now: datetime) -> str:
    """The age of an RFC 3339 time in its largest unit, such as `5m`; empty for no time."""
    if not time:
        return ""
    seconds = max(0, int((now - datetime.fromisoformat(time)).total_seconds()))
    return next(f"{seconds // size}{unit}" for unit, size in _UNITS if seconds >= size or size == 1)


def short(time: str) -> str:
    """An RFC 3339 time to the second, without its zone, which is UTC."""
    return time[:19].replace("T", " ")
