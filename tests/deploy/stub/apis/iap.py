"""iap.googleapis.com: the members who may open a Cloud Run service that is behind Identity-Aware Proxy."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call
from tests.deploy.stub.world import PROJECT, World

API = Api("iap")
SERVICE = "/v1/projects/{project}/iap_web/cloud_run-{location}/services/{service}"


def resource_name(location: str, service: str) -> str:
    """The name under which the policy is kept: that of the service itself is Cloud Run's."""
    return f"projects/{PROJECT}/iap_web/cloud_run-{location}/services/{service}"


def _resource(call: Call) -> str:
    return resource_name(call.named["location"], call.named["service"])


def made(world: World, location: str, service: str) -> None:
    """A service exists, and so does what Identity-Aware Proxy keeps about it."""
    name = resource_name(location, service)
    world.resources.setdefault(name, {"name": name})


def unmade(world: World, location: str, service: str) -> None:
    """A service is gone. The worst is assumed: its policy would hold again for a later service of this name."""
    world.resources.pop(resource_name(location, service), None)


policies.serve(API, SERVICE, _resource, reading="POST")
