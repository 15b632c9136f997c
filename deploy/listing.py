"""Parse the list in deploy.sh: each line is a word, which names a kind of resource, and its arguments."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from deploy.errors import Failed
from shared.routes import Pool
from shared.routes.definitions import DEFAULT_POOL

#: The function that posts to webhooks. Lines about it count only where pipeline.toml has some.
NOTIFIER = "notifier"


def service_of(function: str, pool: str) -> str:
    """The name, without the prefix, of the service that is this pool of this function."""
    return function if pool == DEFAULT_POOL.name else f"{function}-{pool}"


@dataclass(frozen=True)
class Line:
    """One line: its word, and its arguments with options in place of $VARIABLES."""

    word: str
    arguments: tuple[str, ...]


class Listing:
    """Every line in order, and the names of what they list.

    `pools` has the pool of each service that is one, and `functions` the folder of functions/ that each service runs.
    """

    def __init__(
        self, text: str, variables: Mapping[str, str], pools: Mapping[str, Pool], *, has_webhooks: bool = False
    ) -> None:
        words = [shlex.split(line, comments=True) for line in text.splitlines()]
        lines = [Line(word, tuple(_filled(rest, variables))) for word, *rest in filter(None, words)]
        self.lines = [line for line in lines if has_webhooks or line.arguments[:1] != (NOTIFIER,)]
        self.apis = self._all("apis")
        (pooled,) = self._first("pools")
        self.pools = {service_of(pooled, name): pool for name, pool in pools.items()}
        self.functions = {name: name for name in self._first("service")} | dict.fromkeys(self.pools, pooled)
        self.services = list(self.functions)
        self.accounts = [*self._all("accounts"), *self.services]
        self.secrets = self._first("secret")
        self.buckets = self._first("bucket")
        self.topics = [*self._all("topics"), *self._first("topic")]
        pushed = [*self._first("push_subscription"), *self._first("notices_subscription")]
        self.subscriptions = [*self._all("pull_subscriptions"), *pushed]

    def _all(self, word: str) -> list[str]:
        return [name for line in self.lines if line.word == word for name in line.arguments]

    def _first(self, word: str) -> list[str]:
        return [line.arguments[0] for line in self.lines if line.word == word]


def _filled(arguments: list[str], variables: Mapping[str, str]) -> list[str]:
    try:
        return [Template(argument).substitute(variables) for argument in arguments]
    except KeyError as missing:
        raise Failed(f"deploy.sh: ${missing.args[0]} is no option") from missing
