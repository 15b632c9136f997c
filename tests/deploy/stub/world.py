"""The stub's state: resources and IAM policies by full name, the enabled APIs, the uploaded bytes."""

import base64
import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.stub.wire import Json, Refused

PROJECT = "demo-project"
NUMBER = "123456789012"
DEPLOYER = "user:deployer@example.com"
#: APIs that a new project has on.
DEFAULT_APIS = ("cloudresourcemanager", "logging", "monitoring", "serviceusage", "storage")


@dataclass
class World:
    """One project, without HTTP."""

    resources: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    apis: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    #: Names that cannot be had again for a while.
    tombstones: set[str] = field(default_factory=set)
    operations: dict[str, Json] = field(default_factory=dict)
    #: Whether the project's organisation admits only members of its own domain.
    is_restricted: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to an empty project."""
        for part in (self.resources, self.policies, self.contents, self.agents, self.tombstones, self.operations):
            part.clear()
        self.apis = {f"{name}.googleapis.com" for name in DEFAULT_APIS}
        project = {"projectId": PROJECT, "projectNumber": NUMBER, "lifecycleState": "ACTIVE", "name": "Demo"}
        self.resources[f"projects/{PROJECT}"] = project
        self.policies[f"projects/{PROJECT}"] = self.stamped({"bindings": [{"role": "roles/owner", "members": [DEPLOYER]}]})

    def get(self, name: str) -> Json:
        """A resource. Raises 404."""
        if name not in self.resources:
            raise Refused(404, f"Resource '{name}' was not found.")
        return self.resources[name]

    def create(self, name: str, body: Json) -> Json:
        """A new resource. Raises 409."""
        if name in self.resources:
            raise Refused(409, f"Resource '{name}' already exists.")
        self.resources[name] = body
        return body

    def delete(self, name: str) -> Json:
        """Remove a resource and its policy. Raises 404."""
        self.get(name)
        self.policies.pop(name, None)
        return self.resources.pop(name)

    def under(self, folder: str) -> list[Json]:
        """The resources right in a folder, `projects/p/topics/`."""
        return [
            value
            for name, value in sorted(self.resources.items())
            if name.startswith(folder) and "/" not in name[len(folder) :]
        ]

    def number(self) -> int:
        """A number not given before."""
        return next(self._numbers)

    def stamped(self, policy: Json) -> Json:
        """The policy with a new etag. It must be URL-safe: gcloud re-encodes its bytes that way."""
        etag = base64.urlsafe_b64encode(b"\xfb\xff" + self.number().to_bytes(7)).decode()
        return {"version": 1, **policy, "etag": etag}

    def state(self) -> Json:
        """Everything but uploaded bytes, as a copy."""
        parts = {
            "resources": self.resources,
            "policies": self.policies,
            "apis": sorted(self.apis),
            "agents": sorted(self.agents),
        }
        return copy.deepcopy(parts)

    def require_account(self, email: str, code: int = 400, message: str = "Service account {} does not exist.") -> None:
        """Refuse an account of this project that is missing, and a service agent that has not been made."""
        own = email.endswith(f"@{PROJECT}.iam.gserviceaccount.com")
        if own and f"projects/{PROJECT}/serviceAccounts/{email}" not in self.resources:
            raise Refused(code, message.format(email))
        agents = ("gs-project-accounts", "gcp-sa-pubsub", "gcp-sa-iap", "gcp-sa-cloudscheduler")
        made_on_demand = email.endswith(tuple(f"@{agent}.iam.gserviceaccount.com" for agent in agents))
        if made_on_demand and email not in self.agents:
            raise Refused(code, message.format(email))

    def may(self, member: str, role: str, *places: str) -> bool:
        """Whether a policy of one of these resources binds the member to the role."""
        bindings = [binding for place in places for binding in self.policies.get(place, {}).get("bindings", [])]
        return any(binding["role"] == role and member in binding["members"] for binding in bindings)


def merge(into: Json, changes: Json, mask: str) -> None:
    """Apply the fields that an update mask names; a field that is named and not given is cleared."""
    for path in filter(None, mask.split(",")):
        *parents, last = [_camel(part) for part in path.strip().split(".")]
        target, source = into, changes
        for parent in parents:
            target, source = target.setdefault(parent, {}), source.get(parent, {})
        if last in source:
            target[last] = source[last]
        else:
            target.pop(last, None)


def overlay(into: Json, changes: Json) -> None:
    """Merge as JSON Merge Patch does (RFC 7396): null deletes."""
    for key, value in changes.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            overlay(into[key], value)
        else:
            into[key] = value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def done(world: World, parent: str, response: Any, metadata: Json | None = None) -> Json:
    """A long-running operation that is already over; it can be polled under its name."""
    name = f"{parent}/operations/{world.number()}".lstrip("/")
    operation = {"name": name, "done": True, "response": {"@type": "type.googleapis.com/google.protobuf.Empty", **response}}
    world.operations[name] = {**operation, "metadata": metadata or {}}
    return world.operations[name]
