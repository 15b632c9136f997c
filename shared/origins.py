"""Origins of HTTP services, and values of headers. Pure, with the standard library alone."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.errors import BadConfiguration

LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Host names and addresses in a URL, without characters that a client and a server may read in two ways.
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+")
PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")


def of(url: str) -> Origin:
    """The origin of a URL that may be called: https, or http on this computer; no user, no fragment.

    Raises `BadConfiguration`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadConfiguration(f"{url[:200]!r} is no URL; write one such as https://tika.example.com/tika") from None
    if not re.fullmatch(r"[!-~]+", url) or parts.username is not None or parts.fragment or not HOST.fullmatch(host):
        raise BadConfiguration(
            f"{url[:200]!r} is no URL without user and fragment; write one such as https://tika.example.com/tika"
        )
    if parts.scheme != "https" and (parts.scheme != "http" or host not in LOOPBACK):
        raise BadConfiguration(
            f"{url[:200]!r} is not https; http is for services on the same computer: localhost, 127.0.0.1, ::1"
        )
    return Origin(parts.scheme, host, PORTS[parts.scheme] if port is None else port)


def listed(text: str) -> frozenset[Origin]:
    """The origins of a list, between commas. Raises `BadConfiguration`."""
    found = set()
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            one = of(part)
        except BadConfiguration as error:
            raise BadConfiguration(f"SLUICE_SERVICE_ORIGINS: {error.message}") from None
        if part.rstrip("/").lower() not in (str(one), f"{one}:{one.port}"):
            raise BadConfiguration(f"SLUICE_SERVICE_ORIGINS: {part[:200]!r} is more than an origin; write {one}")
        found.add(one)
    return frozenset(found)


def is_header(value: str) -> bool:
    """Whether this can be the value of a header (RFC 9110 §5.5), without spaces at its ends."""
    return re.fullmatch(r"[!-~]([ -~]*[!-~])?", value) is not None
