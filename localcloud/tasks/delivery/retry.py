"""When a failed task is tried again, and when it is given up: queue.proto's RetryConfig as pure functions."""

from typing import Any

from localcloud.tasks.messages import seconds

#: A task is dropped when it is this old, however its queue retries (Cloud Tasks quotas, "maximum task retention").
RETENTION_SECONDS = 31 * 86_400


def backoff_seconds(config: Any, attempts: int) -> float:
    """The pause after so many failed attempts: doubling `max_doublings` times, then linear, never above `max_backoff`.

    10 s, 300 s and 3 doublings give 10, 20, 40, 80, 160, 240, 300, 300, … (queue.proto, RetryConfig.max_doublings).
    """
    step, ceiling = seconds(config.min_backoff), seconds(config.max_backoff)
    retry = max(attempts, 1) - 1
    # 2^1000 still is a float, and far above any ceiling.
    doublings = min(retry, config.max_doublings, 1000)
    steps = 2.0**doublings * max(1, retry - config.max_doublings + 1)
    return float(min(step * steps, ceiling))


def is_used_up(config: Any, attempts: int, elapsed_seconds: float) -> bool:
    """Whether no further attempt is made: every limit that is set must be passed (queue.proto, RetryConfig.max_attempts)."""
    limits = []
    if config.max_attempts != -1:
        limits.append(attempts >= config.max_attempts)
    if (longest := seconds(config.max_retry_duration)) > 0:
        limits.append(elapsed_seconds >= longest)
    return bool(limits) and all(limits)
