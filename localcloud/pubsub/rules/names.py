"""Names of topics and subscriptions, `projects/<project>/<kind>/<id>`, and the labels beside them."""

import re
from collections.abc import Mapping

from localcloud.errors import ApiError
from localcloud.labels import wrong_label

#: What a subscription's `topic` says once its topic is gone.
DELETED_TOPIC = "_deleted-topic_"

# 3 to 255 characters, a letter first, not starting with "goog" (Pub/Sub: "Resource names").
_NAME = re.compile(r"projects/([^/]+)/(topics|subscriptions|snapshots)/(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def check(name: str, kind: str) -> None:
    """Refuse what is no name of that kind (`topics`, `subscriptions`, `snapshots`)."""
    match = _NAME.fullmatch(name)
    if not match or match[2] != kind:
        raise ApiError("INVALID_ARGUMENT", f"Invalid [{kind}] name: (name={name})")


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that Google Cloud would not keep."""
    if wrong := wrong_label(labels):
        raise ApiError("INVALID_ARGUMENT", wrong)


def check_project(name: str) -> None:
    """Refuse what is not `projects/<project>`."""
    if not re.fullmatch(r"projects/[^/]+", name):
        raise ApiError("INVALID_ARGUMENT", f"Invalid [projects] name: (name={name})")


def last(name: str) -> str:
    """`projects/p/topics/uploads` → `uploads`."""
    return name.rpartition("/")[2]


def project(name: str) -> str:
    """`projects/p/topics/uploads` → `p`."""
    return name.split("/")[1]
