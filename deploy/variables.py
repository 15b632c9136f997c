"""The variables of a service, plain or from Secret Manager, and the files that it has of secrets."""

from typing import Any

from deploy.answers import at, text


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


def mounts(template: Any) -> tuple[tuple[str, str], ...]:
    """The paths of the files that a container has of secrets, and these, in the description of a service's template."""
    volumes = {volume["name"]: volume["secret"] for volume in at(template, "volumes") or [] if "secret" in volume}
    found = [
        (f"{mount['mountPath']}/{item['path']}", Secret(f"{volumes[mount['name']]['secretName']}:{item['key']}"))
        for mount in at(template, "containers", 0, "volumeMounts") or []
        if mount["name"] in volumes
        for item in volumes[mount["name"]].get("items", ())
    ]
    return tuple(sorted(found))
