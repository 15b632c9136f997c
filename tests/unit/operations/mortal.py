"""A client of the cloud whose process ends before one of its calls."""

from collections.abc import Iterator
from typing import Any


class Killed(BaseException):
    """The end of the process, planted."""


class Mortal:
    """Every call from the `last` on ends the process, in whichever thread."""

    def __init__(self, client: Any, calls: Iterator[int], last: int) -> None:
        self._client, self._calls, self._last = client, calls, last

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value
        if next(self._calls) >= self._last:
            raise Killed
        return value
