"""Memory: what a delivery needs, and what a processor has for all of its deliveries."""

from collections.abc import Iterable

from shared.model import Limits


def need(limits: Iterable[Limits]) -> int:
    """Bytes that a delivery needs for steps with these limits: they run one after the other, their outputs stay."""
    every = list(limits)
    return max((one.memory_bytes for one in every), default=0) + sum(one.output_bytes for one in every)
