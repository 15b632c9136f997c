"""How fast a queue may dispatch: a token bucket that fills more slowly while the target is overloaded."""

from dataclasses import dataclass, replace

#: However overloaded a target says it is, a queue keeps trying at 1/64 of its rate.
SLOWEST = 1 / 64

#: Seconds since 1970 are exact to 0.2 µs only: 0.9999 tokens at the moment a sleeper was promised one count as one.
ROUNDING = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens at the moment `at`; one is taken per dispatch and `rate * factor` a second flow in, up to `burst`."""

    rate: float
    burst: int
    tokens: float
    at: float
    factor: float = 1.0
    held_until: float = 0.0

    @classmethod
    def full(cls, rate: float, burst: int, now: float) -> "Pace":
        """A bucket to the brim, as a new queue has it."""
        return cls(rate, burst, float(burst), now)

    def available(self, now: float) -> int:
        """How many tasks may be dispatched right now."""
        return 0 if now < self.held_until else int(self._filled(now).tokens + ROUNDING)

    def wait_seconds(self, now: float) -> float:
        """How long until there is a token."""
        missing = max(0.0, 1.0 - self._filled(now).tokens)
        return max(missing / (self.rate * self.factor), self.held_until - now)

    def take(self, count: int, now: float) -> "Pace":
        """The bucket after so many dispatches."""
        filled = self._filled(now)
        return replace(filled, tokens=filled.tokens - count)

    def slower(self, now: float, pause_seconds: float) -> "Pace":
        """After 429 or 503: half the rate, and a stop for as long as Retry-After asks (target.proto, HttpRequest)."""
        factor = max(self.factor / 2, SLOWEST)
        return replace(self._filled(now), factor=factor, held_until=max(self.held_until, now + pause_seconds))

    def faster(self, now: float) -> "Pace":
        """After a success: twice the rate, up to what the user allowed."""
        return self if self.factor == 1.0 else replace(self._filled(now), factor=min(1.0, self.factor * 2))

    def limited(self, rate: float, burst: int, now: float) -> "Pace":
        """The same bucket under new limits."""
        filled = self._filled(now)
        return replace(filled, rate=rate, burst=burst, tokens=min(filled.tokens, burst))

    def _filled(self, now: float) -> "Pace":
        inflow = max(0.0, now - self.at) * self.rate * self.factor
        return replace(self, tokens=min(float(self.burst), self.tokens + inflow), at=max(now, self.at))
