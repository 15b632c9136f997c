"""Resource names, `projects/<project>/<kind>/<id>`, and labels."""

import re
from collections.abc import Mapping

from localcloud.errors import ApiError
from localcloud.labels import wrong_label

#: The `topic` of a subscription or snapshot whose topic was deleted.
DELETED_TOPIC = "_deleted-topic_"

# 3 to 255 characters, a letter first, not starting with "goog" (Pub/Sub: "Resource names").
_NAME = re.compile(r"projects/([^/]+)/(topics|subscriptions|snapshots)/(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def check(name: str, kind: str) -> None:
    """Raise INVALID_ARGUMENT unless it is a name of that kind (`topics`, `subscriptions`, `snapshots`)."""
    match = _NAME.fullmatch(name)
    if not match or match[2] != kind:
        raise ApiError("INVALID_ARGUMENT", f"Invalid [{kind}] name: (name={name})")


def check_labels(labels: Mapping[str, str]) -> None:
    """Raise INVALID_ARGUMENT for labels that Google Cloud refuses."""
    if wrong := wrong_label(labels):
        raise ApiError("INVALID_ARGUMENT", wrong)


def check_project(name: str) -> None:
    """Raise INVALID_ARGUMENT unless it is `projects/<project>`."""
    if not re.fullmatch(r"projects/[^/]+", name):
        raise ApiError("INVALID_ARGUMENT", f"Invalid [projects] name: (name={name})")


def not_found(name: str) -> ApiError:
    """The NOT_FOUND error for a resource."""
    return ApiError("NOT_FOUND", f"Resource not found (resource={last(name)}).")


def already_exists(name: str) -> ApiError:
    """The ALREADY_EXISTS error for a resource."""
    return ApiError("ALREADY_EXISTS", f"Resource already exists in the project (resource={last(name)}).")


def last(name: str) -> str:
    """`projects/p/topics/uploads` → `uploads`."""
    return name.rpartition("/")[2]


def project(name: str) -> str:
    """`projects/p/topics/uploads` → `p`."""
    return name.split("/")[1]
