"""A queue's dispatch rate: a token bucket that fills more slowly while the target is overloaded."""

from dataclasses import dataclass, replace

#: Lowest rate under overload, as a share of the configured rate.
SLOWEST = 1 / 64

#: Tolerance for a token: seconds since 1970 are exact to 0.2 µs, so a sleeper may wake at 0.9999 tokens.
ROUNDING = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """`tokens` at the time `at`: each dispatch takes one; `rate * factor` are added per second, up to `burst`."""

    rate: float
    burst: int
    tokens: float
    at: float
    factor: float = 1.0
    held_until: float = 0.0

    @classmethod
    def full(cls, rate: float, burst: int, now: float) -> "Pace":
        """A full bucket, as a new queue has it."""
        return cls(rate, burst, float(burst), now)

    def available(self, now: float) -> int:
        """Number of tasks that may be dispatched now."""
        return 0 if now < self.held_until else int(self._filled(now).tokens + ROUNDING)

    def wait_seconds(self, now: float) -> float:
        """Seconds until the next token."""
        missing = max(0.0, 1.0 - self._filled(now).tokens)
        return max(missing / (self.rate * self.factor), self.held_until - now)

    def take(self, count: int, now: float) -> "Pace":
        """The bucket after `count` dispatches."""
        filled = self._filled(now)
        return replace(filled, tokens=filled.tokens - count)

    def slower(self, now: float, pause_seconds: float) -> "Pace":
        """After 429 or 503: half the rate, and a stop for `pause_seconds`, the Retry-After (target.proto, HttpRequest)."""
        factor = max(self.factor / 2, SLOWEST)
        return replace(self._filled(now), factor=factor, held_until=max(self.held_until, now + pause_seconds))

    def faster(self, now: float) -> "Pace":
        """After a success: twice the rate, up to the configured rate."""
        return self if self.factor == 1.0 else replace(self._filled(now), factor=min(1.0, self.factor * 2))

    def limited(self, rate: float, burst: int, now: float) -> "Pace":
        """The bucket with new limits; it keeps its tokens, up to `burst`."""
        filled = self._filled(now)
        return replace(filled, rate=rate, burst=burst, tokens=min(filled.tokens, burst))

    def _filled(self, now: float) -> "Pace":
        inflow = max(0.0, now - self.at) * self.rate * self.factor
        return replace(self, tokens=min(float(self.burst), self.tokens + inflow), at=max(now, self.at))
