"""Kinds of Cloud Logging and Monitoring: one dataclass for each, read from gcloud's JSON."""

from dataclasses import dataclass

from deploy.answers import from_json, last


@dataclass(frozen=True)
class SandboxLine:
    """The line that a processor logs about its sandbox when it starts; empty where none is kept."""

    message: str = from_json("jsonPayload", "message")
    missing: str = from_json("jsonPayload", "missing")
    time: str = from_json("timestamp")


@dataclass(frozen=True)
class Metric:
    """A log-based metric."""

    description: str = from_json("description")
    filter: str = from_json("filter")


@dataclass(frozen=True)
class Alert:
    """An alert policy; the label `spec` is the fingerprint of our definition."""

    title: str = from_json("displayName")
    name: str = from_json("name")
    enabled: bool = from_json("enabled", read=bool)
    spec: str = from_json("userLabels", "spec")


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; its one label is the fingerprint of our definition."""

    title: str = from_json("displayName")
    name: str = from_json("name", read=last)
    labels: tuple[str, ...] = from_json("labels", read=lambda found: tuple(found or ()))
    etag: str = from_json("etag")


@dataclass(frozen=True)
class Channel:
    """A channel that alerts are sent to."""

    title: str = from_json("displayName")
    name: str = from_json("name")
    address: str = from_json("labels", "email_address")
