"""The kinds of resources: one dataclass for each, read from gcloud's JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from deploy.answers import from_json, last, number, numeric, text
from deploy.variables import mounts, variables


def _rules(found: Any) -> tuple[tuple[str, float, str], ...]:
    return tuple(
        (
            text(rule, "action", "type"),
            number(rule["condition"].get("age")),
            ",".join(rule["condition"].get("matchesPrefix", ())),
        )
        for rule in found or []
    )


def _is_ready(found: Any) -> bool:
    return ("Ready", "True") in [(item["type"], item["status"]) for item in found or []]


def _is_newest(found: Any) -> bool:
    return [(item.get("latestRevision"), item.get("percent")) for item in found or []] in ([], [(True, 100)])


def _is_true(found: Any) -> bool:
    return str(found).lower() == "true"


def sorted_json(found: Any) -> str:
    """JSON text that is equal for equal values, empty for nothing."""
    return json.dumps(found, sort_keys=True) if found else ""


def _labelled(found: Any) -> frozenset[str]:
    return frozenset(key.removeprefix(PAUSED) for key in found or {} if key.startswith(PAUSED))


#: The label of everything that takes labels: with the prefix as its value, it splits a project's bill by deployment.
LABEL = "sluice"
#: A label of the uploads bucket for each queue that `down` paused: this, and the queue's name.
PAUSED = "paused-"


@dataclass(frozen=True)
class Bucket:
    """A bucket. `lifecycle` has actions, with their ages in days and their prefixes, these joined by commas.

    `cors` are the CORS rules as JSON with sorted keys. `paused` has the queues that `down` paused, by the bucket's labels.
    """

    location: str = from_json("location")
    uniform_access: bool = from_json("uniform_bucket_level_access", read=bool)
    public_access_prevention: str = from_json("public_access_prevention")
    soft_delete_seconds: float = numeric("soft_delete_policy", "retentionDurationSeconds")
    lifecycle: tuple[tuple[str, float, str], ...] = from_json("lifecycle_config", "rule", read=_rules)
    cors: str = from_json("cors_config", read=sorted_json)
    label: str = from_json("labels", LABEL)
    paused: frozenset[str] = from_json("labels", read=_labelled, default=frozenset(), compare=False)


@dataclass(frozen=True)
class Topic:
    """A topic. It keeps messages for so many seconds after their publication, for whoever seeks back; 0: not."""

    retention_seconds: float = numeric("messageRetentionDuration")
    label: str = from_json("labels", LABEL)


@dataclass(frozen=True)
class Subscription:
    """A subscription. Times are seconds; the push and retry fields of a pull subscription are empty.

    Pushes that are `unwrapped` lack the envelope that the dispatcher reads. A `filter` cannot be changed. A subscription that is
    `detached` gets nothing, for ever.
    """

    topic: str = from_json("topic", read=last)
    ack_seconds: float = numeric("ackDeadlineSeconds")
    retention_seconds: float = numeric("messageRetentionDuration")
    expires: str = from_json("expirationPolicy", "ttl")
    endpoint: str = from_json("pushConfig", "pushEndpoint")
    account: str = from_json("pushConfig", "oidcToken", "serviceAccountEmail")
    audience: str = from_json("pushConfig", "oidcToken", "audience")
    min_backoff: float = numeric("retryPolicy", "minimumBackoff")
    max_backoff: float = numeric("retryPolicy", "maximumBackoff")
    dead_letter_topic: str = from_json("deadLetterPolicy", "deadLetterTopic", read=last)
    max_attempts: float = numeric("deadLetterPolicy", "maxDeliveryAttempts")
    filter: str = from_json("filter")
    unwrapped: bool = from_json("pushConfig", "noWrapper", read=lambda found: found is not None, default=False)
    transforms: bool = from_json("messageTransforms", read=bool, default=False)
    detached: bool = from_json("detached", read=bool, default=False)
    label: str = from_json("labels", LABEL)


@dataclass(frozen=True)
class Queue:
    """A queue. Times are seconds; `host`, `account` and `audience` are empty where each task names its own."""

    rate: float = numeric("rateLimits", "maxDispatchesPerSecond")
    at_once: float = numeric("rateLimits", "maxConcurrentDispatches")
    deliveries: float = numeric("retryConfig", "maxAttempts")
    retry_seconds: float = numeric("retryConfig", "maxRetryDuration")
    min_backoff: float = numeric("retryConfig", "minBackoff")
    max_backoff: float = numeric("retryConfig", "maxBackoff")
    max_doublings: float = numeric("retryConfig", "maxDoublings")
    logged: float = numeric("stackdriverLoggingConfig", "samplingRatio")
    host: str = from_json("httpTarget", "uriOverride", "host")
    account: str = from_json("httpTarget", "oidcToken", "serviceAccountEmail")
    audience: str = from_json("httpTarget", "oidcToken", "audience")
    state: str = from_json("state", compare=False)


@dataclass(frozen=True)
class Schedule:
    """A job of Cloud Scheduler that calls a URL. `code` is that of its last call, 0 for success."""

    times: str = from_json("schedule")
    time_zone: str = from_json("timeZone")
    url: str = from_json("httpTarget", "uri")
    method: str = from_json("httpTarget", "httpMethod")
    account: str = from_json("httpTarget", "oidcToken", "serviceAccountEmail")
    audience: str = from_json("httpTarget", "oidcToken", "audience")
    answer_seconds: float = numeric("attemptDeadline")
    retries: float = numeric("retryConfig", "retryCount")
    min_backoff: float = numeric("retryConfig", "minBackoffDuration")
    max_backoff: float = numeric("retryConfig", "maxBackoffDuration")
    state: str = from_json("state", compare=False)
    called: str = from_json("lastAttemptTime", compare=False)
    code: float = from_json("status", "code", read=number, default=0, compare=False)


_TEMPLATE = ("spec", "template", "spec")
_CONTAINER = (*_TEMPLATE, "containers", 0)
_SCALING = ("spec", "template", "metadata", "annotations")
#: Cloud Run's second execution environment is a Linux virtual machine: the sandbox needs its kernel.
ENVIRONMENT = "gen2"


@dataclass(frozen=True)
class Service:
    """A Cloud Run service. Without `invoker_check` its policy is ignored and strangers may call it."""

    image: str = from_json(*_CONTAINER, "image")
    account: str = from_json(*_TEMPLATE, "serviceAccountName")
    concurrency: str = from_json(*_TEMPLATE, "containerConcurrency")
    timeout_seconds: str = from_json(*_TEMPLATE, "timeoutSeconds")
    cpu: str = from_json(*_CONTAINER, "resources", "limits", "cpu", read=lambda cpu: str(cpu or "").removesuffix("000m"))
    memory: str = from_json(*_CONTAINER, "resources", "limits", "memory")
    instances: str = from_json(*_SCALING, "autoscaling.knative.dev/maxScale")
    ingress: str = from_json("metadata", "annotations", "run.googleapis.com/ingress")
    variables: Mapping[str, str] = from_json(*_CONTAINER, "env", read=variables)
    mounts: tuple[tuple[str, str], ...] = from_json(*_TEMPLATE, read=mounts, default=())
    least_instances: str = from_json(
        *_SCALING, "autoscaling.knative.dev/minScale", read=lambda least: str(least or 0), default="0"
    )
    environment: str = from_json(*_SCALING, "run.googleapis.com/execution-environment", default=ENVIRONMENT)
    cpu_boost: bool = from_json(*_SCALING, "run.googleapis.com/startup-cpu-boost", read=_is_true, default=True)
    invoker_check: bool = from_json(
        "metadata", "annotations", "run.googleapis.com/invoker-iam-disabled", read=lambda off: not _is_true(off), default=True
    )
    label: str = from_json("metadata", "labels", LABEL)
    iap: bool = from_json("metadata", "annotations", "run.googleapis.com/iap-enabled", read=_is_true, default=False)
    ready: bool = from_json("status", "conditions", read=_is_ready, default=True)
    only_newest: bool = from_json("spec", "traffic", read=_is_newest, default=True, compare=False)


@dataclass(frozen=True)
class Version:
    """A version of a secret."""

    number: int = from_json("name", read=lambda name: int(last(name)), default=0)
    is_enabled: bool = from_json("state", read=lambda state: state == "ENABLED", default=True)


@dataclass(frozen=True)
class Account:
    """A service account."""

    title: str = from_json("displayName")
    disabled: bool = from_json("disabled", read=bool, default=False)


@dataclass(frozen=True)
class Repository:
    """The image repository, and what its clean-up keeps."""

    format: str = from_json("format")
    newest_kept: float = numeric("cleanupPolicies", "recent", "mostRecentVersions", "keepCount")
    kept_seconds: float = numeric("cleanupPolicies", "old", "condition", "olderThan")
    label: str = from_json("labels", LABEL)


@dataclass(frozen=True)
class Notification:
    """A bucket's notification of objects whose names begin with `prefix`; its topic is `PROJECT/topics/NAME`."""

    id: str = from_json("Notification Configuration", "id")
    topic: str = from_json("Notification Configuration", "topic", read=lambda name: name.rpartition("projects/")[2])
    payload: str = from_json("Notification Configuration", "payload_format")
    events: tuple[str, ...] = from_json("Notification Configuration", "event_types", read=lambda found: tuple(found or ()))
    prefix: str = from_json("Notification Configuration", "object_name_prefix")
    attributes: str = from_json("Notification Configuration", "custom_attributes", read=sorted_json)


@dataclass(frozen=True)
class Role:
    """A custom role; its description ends with the fingerprint of our definition."""

    description: str = from_json("description")
    deleted: bool = from_json("deleted", read=bool, default=False)


class Grant(NamedTuple):
    """One cell of a policy."""

    role: str
    member: str
