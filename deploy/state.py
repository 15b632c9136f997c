"""The state of a project: everything that exists, as far as it was read."""

from dataclasses import dataclass, field

from deploy.kinds import (
    Account,
    Bucket,
    Grant,
    Notification,
    Queue,
    Repository,
    Role,
    Schedule,
    Service,
    Subscription,
    Topic,
    Version,
)
from deploy.observed import Alert, Channel, Dashboard, Metric, SandboxLine


@dataclass
class State:
    """Everything that exists, by the name that gcloud's commands take; kinds that were not read are empty."""

    project_number: str = ""
    apis: set[str] = field(default_factory=set)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    snapshots: dict[str, str] = field(default_factory=dict)  # their topics
    queues: dict[str, Queue] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)  # by e-mail
    secrets: dict[str, tuple[Version, ...]] = field(default_factory=dict)  # versions are read of ours and the webhooks' only
    secret_labels: dict[str, str] = field(default_factory=dict)  # the value of our label
    repositories: dict[str, Repository] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)  # by the name that policies spell
    metrics: dict[str, Metric] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    dashboards: list[Dashboard] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    alert_group: list[str] = field(default_factory=lambda: ["alpha", "monitoring", "policies"])
    digest: str = ""  # of the image of these sources, once it is built
    notifications: dict[str, list[Notification]] = field(default_factory=dict)  # by the bucket's name in deploy.sh
    sandbox_lines: dict[str, SandboxLine] = field(default_factory=dict)  # by the service's name in deploy.sh
    waiting: dict[str, int] = field(default_factory=dict)  # by the queue's name: tasks, of those left behind or to be purged
    policies: dict[str, list[Grant]] = field(default_factory=dict)  # by the resource's name in grants.tsv
