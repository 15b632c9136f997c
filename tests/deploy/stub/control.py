"""The control plane, http://stub.local/: read the stub's state, empty it, inject faults, change resources directly."""

import json
from typing import Any

from tests.deploy.stub.wire import Call, Json, Raw
from tests.deploy.stub.world import World, overlay

HELP = """GET  /state              resources, policies, apis, agents
GET  /requests           what was asked, in order
POST /reset              an empty project
POST /fault  {"match": "POST .*setIamPolicy", "n": 2, "code": 409, "message": "...", "status": ""}; code 0 hangs up
POST /drift  {"resource": NAME, "set": {...}} (null deletes a field, "set": null the resource)
             {"policy": NAME, "add": [role, member]} or "remove"
"""


def answer(stub: Any, call: Call) -> Raw:
    """The answer of stub.local."""
    if call.method == "GET":
        shown = {"/state": stub.state, "/requests": stub.requests}.get(call.path)
        return Raw(json.dumps(shown(), indent=1).encode()) if shown else Raw(HELP.encode())
    match call.path:
        case "/reset":
            stub.reset()
        case "/fault":
            stub.fault(**call.body)
        case "/drift":
            drift(stub.world, call.body)
        case _:
            return Raw(HELP.encode(), code=400)
    return Raw(b"{}\n")


def drift(world: World, wanted: Json) -> None:
    """Change, delete or make a resource, or a cell of a policy, without any of the rules."""
    if "policy" in wanted:
        _drift_policy(world, wanted)
    elif wanted["set"] is None:
        world.delete(wanted["resource"])
    else:
        overlay(world.resources.setdefault(wanted["resource"], {}), wanted["set"])


def _drift_policy(world: World, wanted: Json) -> None:
    policy = world.policies.get(wanted["policy"], {})
    cells = {(binding["role"], member) for binding in policy.get("bindings", []) for member in binding["members"]}
    if "add" in wanted:
        cells.add(tuple(wanted["add"]))
    else:
        cells.discard(tuple(wanted["remove"]))
    roles = sorted({role for role, _ in cells})
    bindings = [{"role": role, "members": sorted(member for r, member in cells if r == role)} for role in roles]
    world.policies[wanted["policy"]] = world.stamped({"bindings": bindings})
