"""One request as the stub sees it, the ways to answer it, and the table of who answers what."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]

_HOST = re.compile(r"^(?:([a-z]+-[a-z]+[0-9]+)-)?([a-z-]+)\.googleapis\.com$")
#: What asks with a POST and changes nothing.
_READS = re.compile(r":(getIamPolicy|testIamPermissions|queryTestablePermissions|queryGrantableRoles|pull)$|/entries:list$")


class Refused(Exception):
    """An error as Google's APIs answer it: `status` is the canonical name, `details` what the error carries besides."""

    def __init__(self, code: int, message: str, status: str = "", details: list[Json] | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status = status or _STATUS.get(code, "UNKNOWN")
        self.details = details or []

    def body(self) -> Json:
        error = {"code": self.code, "message": self.message, "status": self.status, "details": self.details}
        return {"error": {**error, "errors": [{"message": self.message, "reason": self.status, "domain": "global"}]}}


_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not JSON, or that needs headers of its own."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: int = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `named` holds what the route's `{…}` matched."""

    method: str
    host: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    named: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}

    @property
    def body(self) -> Any:
        """The JSON that was sent, `{}` for none; of anything else, how many bytes there were."""
        try:
            return json.loads(self.raw or b"{}")
        except ValueError:
            return {"bytes": len(self.raw)}

    @property
    def api(self) -> str:
        """`run` for run.googleapis.com and us-central1-run.googleapis.com alike; empty for a host that is not Google's."""
        found = _HOST.match(self.host)
        return found[2] if found else ""

    @property
    def region(self) -> str:
        """The region in the host's name, or empty."""
        found = _HOST.match(self.host)
        return (found[1] or "") if found else ""

    @property
    def mutating(self) -> bool:
        """Whether it would change anything."""
        reads = self.method in ("GET", "HEAD", "CONNECT") or _READS.search(self.path) or "dryRun" in self.query
        return not reads


#: Takes the world and a call. The world is `Any` here, so that this file does not depend on it.
Handler = Callable[[Any, Call], "Json | Raw"]


class Api:
    """The routes of one of Google's APIs. `{name}` in a path matches one segment, without a `:verb` that follows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register what answers `method` at `path`."""
        pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(path)) + "$")

        def register(handler: Handler) -> Handler:
            self._routes.append((method, pattern, handler))
            return handler

        return register

    def find(self, call: Call) -> tuple[Handler, dict[str, str]] | None:
        """The function that answers this call, and the parts of its path."""
        return next(self._matching(call), None)

    def _matching(self, call: Call) -> Iterator[tuple[Handler, dict[str, str]]]:
        for method, pattern, handler in self._routes:
            if method == call.method and (found := pattern.match(call.path.replace("%3A", ":"))):
                yield handler, {name: unquote(value) for name, value in found.groupdict().items()}
