"""Checks and defaults of queues."""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from google.protobuf import field_mask_pb2

from localcloud.errors import ApiError, require
from localcloud.protobuf import copy, seconds
from localcloud.tasks.messages import RUNNING, Queue
from localcloud.tasks.rules import http_target

DEFAULT_RATE, MAX_RATE = 500.0, 500.0
DEFAULT_CONCURRENT, MAX_CONCURRENT = 1000, 5000
DEFAULT_ATTEMPTS, DEFAULT_DOUBLINGS = 100, 16
DEFAULT_MIN_BACKOFF_MS, DEFAULT_MAX_BACKOFF_SECONDS = 100, 3600

#: Each field of a queue of v2beta3 by both of its spellings.
_READABLE = {name: field.json_name for field in Queue.DESCRIPTOR.fields for name in (field.name, field.json_name)}
_READABLE |= {"stats": "stats", "app_engine_http_queue": "appEngineHttpQueue", "appEngineHttpQueue": "appEngineHttpQueue"}
_OUTPUT_ONLY = ("name", "state", "purge_time")
_UNSUPPORTED = {"stackdriver_logging_config": "Cloud Logging"}
_PAUSE = "must be greater than 0; to stop a queue, pause it."
#: Numbers that a client must not set to 0. In a protobuf message 0 looks like a missing field, so the JSON is asked.
_NEVER_ZERO = {
    "rate_limits.max_dispatches_per_second": f"RateLimits.maxDispatchesPerSecond {_PAUSE}",
    "rate_limits.max_concurrent_dispatches": f"RateLimits.maxConcurrentDispatches {_PAUSE}",
    "retry_config.max_attempts": "RetryConfig.maxAttempts cannot be 0; -1 is without limit.",
}
_DOUBLINGS = "retry_config.max_doublings"


def zeros(content: Mapping[str, Any], asked: Any) -> set[str]:
    """Paths of the numbers that a JSON body sets to 0; `asked` is the queue parsed from it."""
    paths = (*_NEVER_ZERO, _DOUBLINGS)
    return {path for path in paths if _value(asked, path) == 0 and _is_given(content, asked.DESCRIPTOR, path)}


def new_queue(name: str, asked: Any, zeros: Collection[str] = ()) -> Any:
    """The queue to store: a checked copy with its defaults, except for the numbers in `zeros`."""
    queue = copy(asked)
    queue.ClearField("purge_time")
    queue.name, queue.state = name, RUNNING
    return completed(queue, zeros)


def updated(queue: Any, changes: Any, mask: str | None, zeros: Collection[str] = ()) -> Any:
    """The queue with the fields of the mask taken from `changes`; without a mask, all fields."""
    result = copy(queue)
    paths = _paths(mask) if mask else [field.name for field in Queue.DESCRIPTOR.fields]
    wanted = field_mask_pb2.FieldMask(paths=[path for path in paths if path.partition(".")[0] not in _OUTPUT_ONLY])
    for path in wanted.paths:
        _clear(result, path)
    wanted.MergeMessage(changes, result, replace_message_field=True, replace_repeated_field=True)
    wanted_zeros = {zero for zero in zeros if _covers(wanted.paths, zero)}
    if not (queue.retry_config.max_doublings or _covers(wanted.paths, _DOUBLINGS)):
        wanted_zeros.add(_DOUBLINGS)
    return completed(result, wanted_zeros)


def completed(queue: Any, zeros: Collection[str] = ()) -> Any:
    """The same message, checked, its empty fields set to defaults, except for the numbers in `zeros`."""
    # Output only (target.proto, AppEngineRouting), and there is no App Engine that could have a host.
    if queue.app_engine_routing_override.host:
        queue.app_engine_routing_override.host = ""
    _check_zeros(zeros)
    _check_supported(queue)
    _check_limits(queue.rate_limits)
    _check_retry(queue.retry_config)
    http_target.check(queue)
    _fill_limits(queue.rate_limits)
    _fill_retry(queue.retry_config, _DOUBLINGS in zeros)
    require(
        seconds(queue.retry_config.min_backoff) <= seconds(queue.retry_config.max_backoff),
        "RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.",
    )
    return queue


def read_mask(mask: str) -> set[str]:
    """The fields of a queue that a `readMask` of v2beta3 names, in JSON's spelling. Raises `ApiError`."""
    fields = [field.strip() for field in mask.split(",") if field.strip()]
    for field in fields:
        if "." in field:
            raise ApiError("UNIMPLEMENTED", f"readMask {field}: the local Cloud Tasks takes whole fields of a queue.")
        require(field in _READABLE, f"Invalid value at 'read_mask': {field} is not a field of a queue.")
    return {_READABLE[field] for field in fields}


def burst_size(rate: float) -> int:
    """Size of the token bucket: a fifth of the rate, at least 10 (seen in production: 100 at 500/s)."""
    return max(10, math.ceil(rate / 5))


def _paths(mask: str) -> list[str]:
    parsed = field_mask_pb2.FieldMask()
    try:
        parsed.FromJsonString(mask)
    except ValueError:
        parsed.paths.extend(mask.split(","))
    if not parsed.IsValidForDescriptor(Queue.DESCRIPTOR):
        raise ApiError("INVALID_ARGUMENT", f"Invalid value at 'update_mask': {mask} is not a list of a queue's fields.")
    return list(parsed.paths)


def _clear(message: Any, path: str) -> None:
    head, _, rest = path.partition(".")
    if rest:
        _clear(getattr(message, head), rest)
    else:
        message.ClearField(head)


def _covers(mask: Iterable[str], path: str) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in mask)


def _value(message: Any, path: str) -> Any:
    head, _, rest = path.partition(".")
    return _value(getattr(message, head), rest) if rest else getattr(message, head)


def _is_given(content: Any, descriptor: Any, path: str) -> bool:
    """Whether the JSON sets the field, by either of its names, to a value other than null."""
    if not isinstance(content, Mapping):
        return False
    head, _, rest = path.partition(".")
    field = descriptor.fields_by_name[head]
    value = content.get(field.json_name, content.get(head))
    return value is not None and (not rest or _is_given(value, field.message_type, rest))


def _check_supported(queue: Any) -> None:
    for field, product in _UNSUPPORTED.items():
        if queue.HasField(field):
            raise ApiError("UNIMPLEMENTED", f"Queue.{field}: the local Cloud Tasks has no {product}.")


def _check_zeros(zeros: Collection[str]) -> None:
    for path, refusal in _NEVER_ZERO.items():
        require(path not in zeros, refusal)


def _check_limits(limits: Any) -> None:
    require(limits.max_dispatches_per_second >= 0, "RateLimits.maxDispatchesPerSecond cannot be negative.")
    require(
        limits.max_dispatches_per_second <= MAX_RATE,
        f"RateLimits.maxDispatchesPerSecond must be less than or equal to {MAX_RATE:.0f}.",
    )
    require(limits.max_concurrent_dispatches >= 0, "RateLimits.maxConcurrentDispatches cannot be negative.")
    require(
        limits.max_concurrent_dispatches <= MAX_CONCURRENT,
        f"RateLimits.maxConcurrentDispatches must be less than or equal to {MAX_CONCURRENT}.",
    )


def _check_retry(retry: Any) -> None:
    require(retry.max_attempts >= -1, "RetryConfig.maxAttempts must be greater or equal to -1.")
    require(retry.max_doublings >= 0, "RetryConfig.maxDoublings cannot be negative.")
    require(seconds(retry.min_backoff) >= 0, "RetryConfig.minBackoff cannot be negative.")
    require(seconds(retry.max_backoff) >= 0, "RetryConfig.maxBackoff cannot be negative.")
    require(seconds(retry.max_retry_duration) >= 0, "RetryConfig.maxRetryDuration cannot be negative.")


def _fill_limits(limits: Any) -> None:
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or DEFAULT_RATE
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or DEFAULT_CONCURRENT
    limits.max_burst_size = burst_size(limits.max_dispatches_per_second)


def _fill_retry(retry: Any, never_doubles: bool) -> None:
    retry.max_attempts = retry.max_attempts or DEFAULT_ATTEMPTS
    if not never_doubles:
        retry.max_doublings = retry.max_doublings or DEFAULT_DOUBLINGS
    if not retry.HasField("max_backoff"):
        retry.max_backoff.seconds = max(DEFAULT_MAX_BACKOFF_SECONDS, math.ceil(seconds(retry.min_backoff)))
    if not retry.HasField("min_backoff"):
        # A ceiling below the usual floor moves the floor.
        lowest = min(DEFAULT_MIN_BACKOFF_MS, int(seconds(retry.max_backoff) * 1000))
        retry.min_backoff.FromMilliseconds(lowest)
