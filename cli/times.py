"""Times for people. Pure."""

from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def ago(time: str, now: datetime) -> str:
    """The age of an RFC 3339 time in its largest unit, such as `5m`; empty for no time, or one to come."""
    if not time or datetime.fromisoformat(time) > now:
        return ""
    seconds = int((now - datetime.fromisoformat(time)).total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in _UNITS if seconds >= size or size == 1)


def due(time: str, now: datetime) -> str:
    """The next try of a task: at this RFC 3339 time, or due since then."""
    return f"{'next try' if datetime.fromisoformat(time) > now else 'due since'} {short(time)}"


def short(time: str) -> str:
    """An RFC 3339 time to the second, without its zone, which is UTC."""
    return time[:19].replace("T", " ")
