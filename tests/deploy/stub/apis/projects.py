"""cloudresourcemanager.googleapis.com: the project and its policy."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json
from tests.deploy.stub.world import PROJECT, World

API = Api("cloudresourcemanager")


@API.route("GET", "/v1/projects/{project}")
def describe(world: World, _call: Call) -> Json:
    return world.get(f"projects/{PROJECT}")


policies.serve(API, "/v1/projects/{project}", lambda _call: f"projects/{PROJECT}", reading="POST")
