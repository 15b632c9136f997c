"""The console's words: states, sizes, times. Reasons have their own module, `reasons`."""

from datetime import UTC, datetime

#: State of a file or step → its word, and the colour of its chip (a class of app.css).
STATES = {
    "accepted": ("received", "wait"),
    "processing": ("in work", "busy"),
    "waiting": ("waits for a step", "wait"),
    "queued": ("queued", "wait"),
    "running": ("running", "busy"),
    "done": ("done", "good"),
    "succeeded": ("done", "good"),
    "partial": ("partly done", "warn"),
    "failed": ("failed", "bad"),
    "dead": ("gave up", "bad"),
    "superseded": ("replaced", "none"),
    "gone": ("deleted", "none"),
    "skipped": ("skipped", "none"),
}
STATUSES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    503: "Unavailable",
}

_UNITS = ("B", "kB", "MB", "GB", "TB")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def sentence(message: str) -> str:
    """A message as a sentence: with a capital, and a full stop at its end."""
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."


def size(number: int) -> str:
    """Bytes for people: `512 B`, `1.4 MB` (powers of 1,000)."""
    value = float(number)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit takes every size")


def memory(number: int) -> str:
    """Bytes of memory for people: `64 MiB`, `4 GiB` (powers of 1,024, as in pipeline.toml)."""
    return f"{number / (1 << 30):g} GiB" if number >= 1 << 30 else f"{number / (1 << 20):g} MiB"


def seconds(value: float) -> str:
    """A duration for people: `80 ms`, `3.4 s`, `12 min`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else _span(value)


def dollars(value: float) -> str:
    """A price for people: `$0.000041`, `$12.30`."""
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.6f}"


def glyph(name: str, content_type: str) -> str:
    """Up to four letters that stand for a file without a preview: its extension, else its type."""
    extension = name.rpartition(".")[2]
    short = extension if extension.isalnum() and "." in name else content_type.partition("/")[0]
    return short[:4].upper()


def uploaded(generation: int) -> str:
    """The time of an upload, from its generation (microseconds since 1970), as RFC 3339."""
    return datetime.fromtimestamp(generation / 1_000_000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(time: str) -> str:
    """A time (RFC 3339) for people: `28 Nov 2026 12:49 UTC`. Scripts replace it by its age."""
    return f"{datetime.fromisoformat(time).astimezone(UTC):%d %b %Y %H:%M} UTC" if time else ""


def _span(value: float) -> str:
    return next((f"{value // length:.0f} {unit}" for length, unit in _SPANS if value >= length), "0 s")
