"""cloudbuild.googleapis.com: a build ends at once; it needs source, account, rights and repository."""

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from tests.deploy.stub.apis import artifacts
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World

API = Api("cloudbuild")


@API.route("POST", "/v1/projects/{project}/builds")
@API.route("POST", "/v1/projects/{project}/locations/{location}/builds")
def submit(world: World, call: Call) -> Json:
    wanted = _substituted(call.body)
    number = f"00000000-0000-0000-0000-{world.number():012d}"
    location = call.named.get("location", "global")
    email = wanted.get("serviceAccount", "").rpartition("/")[2]
    if email:
        world.require_account(email)
        _logs_go_somewhere(wanted)
    source = wanted.get("source", {}).get("storageSource", {})
    stored = f"buckets/{source.get('bucket')}/o/{quote(source.get('object', ''), safe='')}"
    world.get(stored)
    digest = "sha256:" + hashlib.sha256(world.contents[stored]).hexdigest()
    build = {
        **wanted,
        "id": number,
        "name": f"projects/{PROJECT}/locations/{location}/builds/{number}",
        "projectId": PROJECT,
        "logUrl": f"https://console.cloud.google.com/cloud-build/builds/{number}",
        "createTime": "2026-01-01T00:00:00Z",
        "startTime": "2026-01-01T00:00:01Z",
        "finishTime": "2026-01-01T00:00:02Z",
    }
    build |= _run(world, wanted, email, digest)
    world.resources[f"projects/{PROJECT}/builds/{number}"] = build
    kind = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
    return {"name": f"operations/build/{PROJECT}/{number}", "metadata": {"@type": kind, "build": build}}


@API.route("GET", "/v1/projects/{project}/builds/{id}")
@API.route("GET", "/v1/projects/{project}/locations/{location}/builds/{id}")
def describe(world: World, call: Call) -> Json:
    return world.get(f"projects/{PROJECT}/builds/{call.named['id']}")


@API.route("GET", "/v1/projects/{project}/builds")
@API.route("GET", "/v1/projects/{project}/locations/{location}/builds")
def listing(world: World, _call: Call) -> Json:
    return {"builds": world.under(f"projects/{PROJECT}/builds/")}


@API.route("GET", "/v1/projects/{project}/locations/{location}/defaultServiceAccount")
def default_account(_world: World, _call: Call) -> Json:
    raise Refused(404, "There is no default build account in this project.")


def _logs_go_somewhere(wanted: Json) -> None:
    if not wanted.get("logsBucket") and wanted.get("options", {}).get("logging") not in ("CLOUD_LOGGING_ONLY", "NONE"):
        options = "(a) specify 'build.logs_bucket', or (c) use either CLOUD_LOGGING_ONLY / NONE logging options"
        raise Refused(400, f"if 'build.service_account' is specified, the build must either {options}")


def _run(world: World, wanted: Json, email: str, digest: str) -> Json:
    if missing := _missing_right(world, wanted, email):
        return {"status": "FAILURE", "statusDetail": missing, "failureInfo": {"type": "PUSH_FAILED", "detail": missing}}
    for image in wanted.get("images", []):
        artifacts.push(world, image, digest)
    pushed = [{"name": image, "digest": digest} for image in wanted.get("images", [])]
    return {"status": "SUCCESS", "results": {"images": pushed, "buildStepOutputs": list(map(_output, wanted["steps"]))}}


def _output(step: Json) -> str:
    """The output of a step that looks for the digest of the base image, which the tag decides here."""
    found = re.search(r"docker pull --quiet (\S+)\n.*BUILDER_OUTPUT", " ".join(step["args"]), re.DOTALL)
    line = f"{found[1].partition(':')[0]}@sha256:{hashlib.sha256(found[1].encode()).hexdigest()}\n" if found else ""
    return base64.b64encode(line.encode()).decode()


def _missing_right(world: World, wanted: Json, email: str) -> str:
    """Check the rights that a build account needs; the default account has them all."""
    if not email:
        return ""
    member, project = f"serviceAccount:{email}", f"projects/{PROJECT}"
    bucket = f"buckets/{wanted['source']['storageSource']['bucket']}"
    readers = ("roles/storage.objectViewer", "roles/storage.objectAdmin", "roles/storage.admin")
    if not any(world.may(member, role, bucket, project) for role in readers):
        return f"{email} does not have storage.objects.get access to {bucket}"
    if not world.may(member, "roles/logging.logWriter", project):
        return f"{email} may not write logs"
    for image in wanted.get("images", []):
        location, _, rest = image.partition("-docker.pkg.dev/")
        repository = f"{project}/locations/{location}/repositories/{rest.split('/')[1]}"
        if not world.may(member, "roles/artifactregistry.writer", repository, project):
            return f'denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "{repository}"'
    return ""


def _substituted(build: Json) -> Json:
    text = json.dumps(build)
    for name, value in {"PROJECT_ID": PROJECT, **build.get("substitutions", {})}.items():
        quoted = json.dumps(value)[1:-1]
        text = text.replace(f"${{{name}}}", quoted).replace(f"${name}", quoted)
    found: Any = json.loads(text.replace("$$", "$"))
    return dict(found)
