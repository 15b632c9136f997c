"""IAM policies, the same for every API: written only with a fresh etag and with members that exist."""

from collections.abc import Callable

from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World

_CONCURRENT = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."


#: The answer under the constraint iam.allowedPolicyMemberDomains, which organisations have by default.
_NOT_ADMITTED = (
    "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy."
)
_VIOLATION: Json = {
    "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
    "violations": [
        {"type": "constraints/iam.allowedPolicyMemberDomains", "description": "User is not in permitted organization."}
    ],
}
STRANGERS = ("allUsers", "allAuthenticatedUsers")
DOMAIN = "@example.com"


def serve(api: Api, path: str, name: Callable[[Call], str], reading: str = "GET") -> None:
    """Answer `:getIamPolicy` (by GET or POST) and `:setIamPolicy` at this path."""

    @api.route(reading, path + ":getIamPolicy")
    def read(world: World, call: Call) -> Json:
        return get(world, name(call))

    @api.route("POST", path + ":setIamPolicy")
    def write(world: World, call: Call) -> Json:
        return put(world, name(call), call.body["policy"])

    @api.route("POST", path + ":testIamPermissions")
    def test(_world: World, call: Call) -> Json:
        """The deployer has every permission, also on services to come: gcloud asks before it creates one."""
        return {"permissions": call.body["permissions"]}


def get(world: World, name: str) -> Json:
    """The policy of a resource that exists; Google's own etag when there has never been one."""
    world.get(name)
    return world.policies.get(name, {"etag": "ACAB"})


def put(world: World, name: str, policy: Json, stale: int = 409) -> Json:
    """Replace a policy. Raises `stale` for an old etag, 400 for members that do not exist."""
    known = get(world, name)
    if policy.get("etag", known["etag"]) != known["etag"]:
        raise Refused(stale, _CONCURRENT, "ABORTED")
    before = _cells(known)
    for role, member in _cells(policy) - before:
        _check(world, role, member)
    bindings = [binding for binding in policy.get("bindings", []) if binding.get("members")]
    world.policies[name] = world.stamped({"bindings": bindings})
    return world.policies[name]


def forget(world: World, email: str) -> None:
    """Mark a deleted account in every policy that named it."""
    gone = f"deleted:serviceAccount:{email}?uid={world.number():021d}"
    for name, policy in world.policies.items():
        if any(member == f"serviceAccount:{email}" for _, member in _cells(policy)):
            bindings = [
                {
                    **binding,
                    "members": [gone if member == f"serviceAccount:{email}" else member for member in binding["members"]],
                }
                for binding in policy["bindings"]
            ]
            world.policies[name] = world.stamped({"bindings": bindings})


def _cells(policy: Json) -> set[tuple[str, str]]:
    return {(binding["role"], member) for binding in policy.get("bindings", []) for member in binding.get("members", [])}


def _check(world: World, role: str, member: str) -> None:
    kind, _, email = member.partition(":")
    if world.is_restricted and (member in STRANGERS or (kind in ("user", "group") and not email.endswith(DOMAIN))):
        raise Refused(400, _NOT_ADMITTED, "FAILED_PRECONDITION", [_VIOLATION])
    if kind == "deleted":
        raise Refused(400, f"Principal {member} is deleted: it can be removed, not added.")
    if kind == "serviceAccount":
        world.require_account(email)
    own_role = role.startswith(f"projects/{PROJECT}/roles/")
    if not role.startswith("roles/") and not (own_role and role in world.resources):
        raise Refused(400, f"Role {role} is not supported for this resource.")
