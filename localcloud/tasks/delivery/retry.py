"""Retries of a failed task: when, and when to give up. Pure functions of queue.proto's RetryConfig."""

from typing import Any

from localcloud.protobuf import seconds

#: Age at which a task is dropped, even if retries are left (Cloud Tasks quotas, "maximum task retention").
RETENTION_SECONDS = 31 * 86_400


def next_attempt(task: Any, config: Any, asked_pause_seconds: float, now: float) -> float | None:
    """When to attempt a failed task again, in seconds since the epoch; None to give it up.

    `asked_pause_seconds` is the target's Retry-After: a retry waits at least that long.
    """
    pause = max(backoff_seconds(config, task.dispatch_count), asked_pause_seconds)
    age = now + pause - seconds(task.create_time)
    elapsed = now - seconds(task.first_attempt.dispatch_time)
    is_over = is_used_up(config, task.dispatch_count, elapsed) or age > RETENTION_SECONDS
    return None if is_over else now + pause


def backoff_seconds(config: Any, attempts: int) -> float:
    """The pause after so many failed attempts: doubled `max_doublings` times, then linear, at most `max_backoff`.

    10 s, 300 s and 3 doublings give 10, 20, 40, 80, 160, 240, 300, 300, … (queue.proto, RetryConfig.max_doublings).
    """
    step, ceiling = seconds(config.min_backoff), seconds(config.max_backoff)
    retry = max(attempts, 1) - 1
    # 2^1000 still is a float, and far above any ceiling.
    doublings = min(retry, config.max_doublings, 1000)
    steps = 2.0**doublings * max(1, retry - config.max_doublings + 1)
    return float(min(step * steps, ceiling))


def is_used_up(config: Any, attempts: int, elapsed_seconds: float) -> bool:
    """Whether the task is given up: every limit that is set must be reached (queue.proto, RetryConfig.max_attempts)."""
    limits = []
    if config.max_attempts != -1:
        limits.append(attempts >= config.max_attempts)
    if (longest := seconds(config.max_retry_duration)) > 0:
        limits.append(elapsed_seconds >= longest)
    return bool(limits) and all(limits)
