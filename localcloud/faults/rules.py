"""The rules in force: the kind of fault, its place, and how many matching calls or messages it hits. No I/O."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

#: Places of faults: the calls of services and the streams of messages.
SERVICES = ("storage", "pubsub", "tasks")
STREAMS = ("notifications", "messages")
#: kind → (places, the parameter it needs)
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "answer": (SERVICES, "status"),
    "cut": (SERVICES, "after_bytes"),
    "freeze": (SERVICES, ""),
    "drop": (STREAMS, ""),
    "repeat": (STREAMS, ""),
    "delay": (SERVICES + STREAMS, "seconds"),
    "reorder": (STREAMS, ""),
}


@dataclass(slots=True)
class Rule:
    """A fault for the next `left` calls or messages that match the regular expression `match`.

    It is searched in `METHOD /path?query` of an HTTP call, the method of a gRPC call, or the full name of a message's topic.
    """

    kind: str
    place: str
    match: str = ""
    left: int = 1
    status: int = 0
    after_bytes: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        places, needed = KINDS.get(self.kind, ((), ""))
        if not places:
            raise ValueError(f"unknown kind {self.kind!r}; use one of {', '.join(KINDS)}")
        if self.place not in places:
            raise ValueError(f"{self.kind} is for {', '.join(places)}, not for {self.place!r}")
        if needed and not getattr(self, needed):
            raise ValueError(f"{self.kind} needs {needed}")
        if self.kind == "answer" and not 400 <= self.status <= 599:
            raise ValueError(f"status {self.status} is not an error; use 400 to 599")
        if self.left < 1:
            raise ValueError("next must be a number above 0")
        re.compile(self.match)


class Faults:
    """The rules in force, oldest first. `on_messages` is called before a rule for `messages` is added."""

    def __init__(self) -> None:
        self.on_messages: Callable[[], None] = lambda: None
        self._rules: list[Rule] = []
        self._thawed = asyncio.Event()

    def add(self, /, **fields: Any) -> Rule:
        """Add a rule. Raises ValueError for an unknown or missing field or a value out of range."""
        try:
            rule = Rule(**fields)
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
        if rule.place == "messages":
            self.on_messages()
        self._rules.append(rule)
        return rule

    def take(self, place: str, subject: str) -> Rule | None:
        """The first rule that hits this call or message; its count decreases by one. Freezes are not counted."""
        for rule in self._rules:
            if rule.kind != "freeze" and rule.place == place and re.search(rule.match, subject):
                rule.left -= 1
                if not rule.left:
                    self._rules.remove(rule)
                return rule
        return None

    async def wait_until_thawed(self, place: str, subject: str) -> None:
        """Return once no freeze matches the call."""
        while any(rule.kind == "freeze" and rule.place == place and re.search(rule.match, subject) for rule in self._rules):
            await self._thawed.wait()

    def thaw(self, place: str = "") -> None:
        """End the freezes of a service; without one, every freeze."""
        self._keep(lambda rule: rule.kind != "freeze" or place not in ("", rule.place))

    def clear(self) -> None:
        """End every rule."""
        self._keep(lambda _rule: False)

    def to_json(self) -> list[dict[str, Any]]:
        """The rules as the control API lists them."""
        return [asdict(rule) for rule in self._rules]

    def _keep(self, wanted: Callable[[Rule], bool]) -> None:
        self._rules = [rule for rule in self._rules if wanted(rule)]
        self._thawed.set()
        self._thawed = asyncio.Event()
