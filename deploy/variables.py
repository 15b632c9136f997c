"""The variables of a service: plain values, and those that Cloud Run takes from Secret Manager."""

from typing import Any

from deploy.answers import text


class Secret(str):
    """The value of a variable that is in Secret Manager: `NAME:VERSION`."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and str(self) == str(other)

    __hash__ = str.__hash__


def variables(found: Any) -> dict[str, str]:
    """The variables in the description of a container, by name."""
    return {item["name"]: item.get("value", "") if "valueFrom" not in item else _secret(item) for item in found or []}


def _secret(item: Any) -> Secret:
    return Secret(f"{text(item, 'valueFrom', 'secretKeyRef', 'name')}:{text(item, 'valueFrom', 'secretKeyRef', 'key')}")
