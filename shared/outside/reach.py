"""The surroundings of a step outside the sandbox: addresses, secrets, limits, deadline."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared import origins
from shared.errors import BadConfiguration, BadFile
from shared.model import LIMITS, Limits
from shared.origins import Origin
from shared.outside.sockets import Address
from shared.settings import Settings


@dataclass(frozen=True)
class Reach:
    """The surroundings of a step outside the sandbox.

    `secrets` are values of headers by name; `token` gives an identity token for an audience, or empty text.
    `deadline` is on the clock of `time.monotonic`.
    """

    clamd: Address | None = None
    origins: frozenset[Origin] = frozenset()
    secrets: Mapping[str, str] | None = None
    limits: Limits = LIMITS
    deadline: float = float("inf")
    token: Callable[[str], str] = lambda _audience: ""

    def left(self) -> float:
        """Seconds until the deadline. Raises `BadFile` after it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self.exceeded("limit_time")
        return seconds

    def exceeded(self, limit: str) -> BadFile:
        """The verdict at a limit, in the words of the sandbox."""
        from shared.sandbox.outcome import stopped  # only the processor loads the sandbox

        return stopped(limit, self.limits)


def of(settings: Settings) -> Reach:
    """The reach that the settings give. Raises `BadConfiguration` naming the variable."""
    return Reach(_clamd(settings.clamd), origins.listed(settings.service_origins), _secrets(settings.service_secrets))


def _clamd(text: str) -> Address | None:
    if not text:
        return None
    if text.startswith("unix:/"):
        return Address(str(Path(text.removeprefix("unix:"))), 0)
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise BadConfiguration(f"SLUICE_CLAMD is {text[:200]!r}; write host:port such as clamd.internal:3310, or unix:/path")
    return Address(host.strip("[]"), int(port))


def _secrets(text: str) -> Mapping[str, str]:
    """The message never shows the value: not even a part of it."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    is_right = isinstance(found, dict) and all(isinstance(value, str) and origins.is_header(value) for value in found.values())
    if not is_right:
        raise BadConfiguration('SLUICE_SERVICE_SECRETS is no JSON object of printable texts; write {"name": "Bearer …"}')
    assert isinstance(found, dict)
    return found
