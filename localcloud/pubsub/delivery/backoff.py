"""How long a message rests before it is delivered again."""

from typing import Any

from localcloud.pubsub.messages import seconds

# Without a retry policy production slows down a failing push endpoint by 100 ms to 60 s ("Push backoff").
PUSH_MIN_SECONDS = 0.1
PUSH_MAX_SECONDS = 60.0


def delay_seconds(subscription: Any, attempts: int) -> float:
    """Seconds until the next attempt after so many: doubling from the policy's minimum to its maximum, or none."""
    if subscription.HasField("retry_policy"):
        policy = subscription.retry_policy
        return _doubled(seconds(policy.minimum_backoff), seconds(policy.maximum_backoff), attempts)
    if subscription.push_config.push_endpoint:
        return _doubled(PUSH_MIN_SECONDS, PUSH_MAX_SECONDS, attempts)
    return 0.0


def _doubled(minimum: float, maximum: float, attempts: int) -> float:
    # 2 ** 1023 is the largest power that a float holds; nobody waits that long.
    return float(min(maximum, minimum * 2.0 ** min(max(attempts - 1, 0), 1000)))
