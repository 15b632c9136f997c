"""The same call for many items, several at a time: operations mostly wait for the network."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

#: Calls at once; each of Google's clients keeps as many connections.
WORKERS = 8


def each(act: Callable[[A], B], items: Iterable[A]) -> Generator[B, None, None]:
    """The results in the order of the items, which are taken as workers become free. The first error ends it."""
    pool = ThreadPoolExecutor(WORKERS)
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(act, item))
            if len(waiting) >= 2 * WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
