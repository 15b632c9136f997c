"""artifactregistry.googleapis.com: repositories, and the tags and versions that builds put into them."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World, done, merge

API = Api("artifactregistry")
REPOSITORIES = "/v1/projects/{project}/locations/{location}/repositories"
PACKAGE = REPOSITORIES + "/{repository}/packages/{package}"


def parent(call: Call) -> str:
    return f"projects/{PROJECT}/locations/{call.named['location']}"


def repository_name(call: Call) -> str:
    return f"{parent(call)}/repositories/{call.named['repository']}"


def push(world: World, image: str, digest: str) -> None:
    """Store a built image. Raises 404 for a missing repository."""
    location, _, rest = image.partition("-docker.pkg.dev/")
    project, repository, package = rest.split("/", 2)
    package, _, tag = package.partition(":")
    name = f"projects/{project}/locations/{location}/repositories/{repository}"
    world.get(name)
    version = f"{name}/packages/{package}/versions/{digest}"
    world.resources[version] = {"name": version}
    world.resources[f"{name}/packages/{package}/tags/{tag or 'latest'}"] = {
        "name": f"{name}/packages/{package}/tags/{tag or 'latest'}",
        "version": version,
    }


def holds(world: World, image: str) -> bool:
    """Whether `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/PACKAGE@DIGEST` or `:TAG` is there."""
    location, _, rest = image.partition("-docker.pkg.dev/")
    path, at, end = rest.partition("@") if "@" in rest else rest.rpartition(":")
    parts = path.split("/", 2)
    if len(parts) != 3:
        return False
    folder = f"projects/{parts[0]}/locations/{location}/repositories/{parts[1]}/packages/{parts[2]}"
    return f"{folder}/{'versions' if at == '@' else 'tags'}/{end}" in world.resources


@API.route("GET", REPOSITORIES)
def listing(world: World, call: Call) -> Json:
    return {"repositories": world.under(f"{parent(call)}/repositories/")}


@API.route("POST", REPOSITORIES)
def create(world: World, call: Call) -> Json:
    query = call.query
    name = f"{parent(call)}/repositories/{query.get('repositoryId') or query['repository_id']}"
    made = world.create(name, {"mode": "STANDARD_REPOSITORY", **call.body, "name": name})
    kind = "type.googleapis.com/google.devtools.artifactregistry.v1.Repository"
    return done(world, parent(call), {"@type": kind, **made})


@API.route("GET", REPOSITORIES + "/{repository}")
def describe(world: World, call: Call) -> Json:
    return world.get(repository_name(call))


@API.route("PATCH", REPOSITORIES + "/{repository}")
def update(world: World, call: Call) -> Json:
    found = world.get(repository_name(call))
    merge(found, call.body, call.query["updateMask"])
    return found


@API.route("DELETE", REPOSITORIES + "/{repository}")
def delete(world: World, call: Call) -> Json:
    name = repository_name(call)
    world.delete(name)
    for inside in [inside for inside in world.resources if inside.startswith(f"{name}/")]:
        world.delete(inside)
    return done(world, parent(call), {})


policies.serve(API, REPOSITORIES + "/{repository}", repository_name)


@API.route("GET", "/v1/projects/{project}/locations/{location}/operations/{id}")
def operation(world: World, call: Call) -> Json:
    return world.operations[f"{parent(call)}/operations/{call.named['id']}"]


@API.route("GET", PACKAGE + "/tags")
def tags(world: World, call: Call) -> Json:
    return {"tags": world.under(f"{_package(call)}/tags/")}


@API.route("GET", PACKAGE + "/tags/{tag}")
def tag(world: World, call: Call) -> Json:
    world.get(repository_name(call))
    return world.get(f"{_package(call)}/tags/{call.named['tag']}")


@API.route("GET", PACKAGE + "/versions")
def versions(world: World, call: Call) -> Json:
    return {"versions": world.under(f"{_package(call)}/versions/")}


@API.route("GET", REPOSITORIES + "/{repository}/dockerImages")
def images(world: World, call: Call) -> Json:
    world.get(repository_name(call))
    found = [name for name in world.resources if name.startswith(f"{repository_name(call)}/packages/") and "/versions/" in name]
    return {"dockerImages": [_image(world, call, name) for name in found]}


def _image(world: World, call: Call, version: str) -> Json:
    package, _, digest = version.removeprefix(f"{repository_name(call)}/packages/").split("/")
    tags = world.under(f"{repository_name(call)}/packages/{package}/tags/")
    host = f"{call.named['location']}-docker.pkg.dev/{PROJECT}/{call.named['repository']}"
    return {
        "name": f"{repository_name(call)}/dockerImages/{package}@{digest}",
        "uri": f"{host}/{package}@{digest}",
        "tags": [tag["name"].rpartition("/")[2] for tag in tags if tag["version"] == version],
    }


@API.route("GET", REPOSITORIES + "/{repository}/dockerImages/{image}")
def image(world: World, call: Call) -> Json:
    world.get(repository_name(call))
    package, _, digest = call.named["image"].partition("@")
    found = f"{repository_name(call)}/packages/{package}/versions/{digest}"
    if found not in world.resources:
        raise Refused(404, f"Image '{call.named['image']}' was not found.")
    return {"name": f"{repository_name(call)}/dockerImages/{call.named['image']}", "uri": call.named["image"]}


def _package(call: Call) -> str:
    return f"{repository_name(call)}/packages/{call.named['package']}"
