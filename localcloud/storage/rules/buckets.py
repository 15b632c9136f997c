"""The fields of a bucket that a client may set, with their checks; its IAM policy. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.labels import wrong_label
from localcloud.policies import merged
from localcloud.storage.errors import StorageError, invalid, unsupported
from localcloud.storage.model import Settings
from localcloud.storage.rules.lifecycle import check_lifecycle
from localcloud.storage.rules.locations import check_location
from localcloud.storage.rules.objects import check_class, refuse_fields

#: Fields merged by key on PATCH; all others are replaced.
MERGED = frozenset({"labels", "iamConfiguration"})
#: Fields that would change the service's behaviour and are not supported. Empty and false values are harmless.
_UNSUPPORTED = (
    "acl",
    "defaultObjectAcl",
    "retentionPolicy",
    "encryption",
    "logging",
    "billing",
    "website",
    "defaultEventBasedHold",
    "customPlacementConfig",
    "ipFilter",
    "objectRetention",
)
POLICY_VERSIONS = "For more information, please refer to https://cloud.google.com/iam/docs/policies#versions."
_PUBLIC = {"allUsers", "allAuthenticatedUsers"}


def bucket_settings(body: Mapping[str, Any]) -> Settings:
    """The settable fields of a bucket resource, checked. Output-only fields, which clients echo, are dropped."""
    refuse_fields(body, _UNSUPPORTED)
    _refuse_switches(body)
    settings = {key: body[key] for key in _CHECKS if body.get(key) is not None}
    return {key: _CHECKS[key](value) for key, value in settings.items()}


def policy_settings(body: Mapping[str, Any]) -> Settings:
    """The version and bindings of an IAM policy; 400 names a malformed field."""
    version, bindings = body.get("version", 1), body.get("bindings", [])
    if type(version) is not int or version not in (0, 1, 3):
        raise invalid("version of a policy must be 0, 1 or 3.")
    if not isinstance(bindings, list) or not all(isinstance(binding, dict) for binding in bindings):
        raise invalid("bindings must be a list of objects.")
    for binding in bindings:
        _check_binding(binding, version)
    return {"version": 3 if is_conditional(bindings) else 1, "bindings": merged(bindings)}


def is_conditional(bindings: list[Any]) -> bool:
    """Whether a role is bound on a condition, which only a policy of version 3 can express."""
    return any(binding.get("condition") for binding in bindings)


def default_bindings(project: str) -> list[Any]:
    """The bindings of a new bucket's policy."""
    owners, viewers = [f"projectEditor:{project}", f"projectOwner:{project}"], [f"projectViewer:{project}"]
    return [
        {"role": f"roles/storage.legacy{thing}{right}", "members": members}
        for thing in ("Bucket", "Object")
        for right, members in (("Owner", owners), ("Reader", viewers))
    ]


def _check_binding(binding: Mapping[str, Any], version: int) -> None:
    members, condition = binding.get("members", []), binding.get("condition")
    if not isinstance(binding.get("role"), str) or not binding["role"]:
        raise invalid("role of a binding must be the name of a role.")
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise invalid("members of a binding must be a list of strings.")
    if condition is None or condition == {}:
        return
    if not isinstance(condition, dict) or not isinstance(condition.get("expression"), str) or not condition["expression"]:
        raise invalid("condition of a binding must be an object with an expression.")
    if version != 3:
        raise invalid(f"A conditional role binding needs a policy of version 3, not {version}. {POLICY_VERSIONS}")


def check_public(settings: Settings, bindings: list[Any]) -> None:
    """412 for a policy that grants public access while public access prevention is enforced."""
    if settings.get("iamConfiguration", {}).get("publicAccessPrevention") != "enforced":
        return
    if any(_PUBLIC.intersection(binding.get("members", [])) for binding in bindings):
        message = (
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."
        )
        raise StorageError(412, "conditionNotMet", message, "PreconditionFailed")


def _refuse_switches(body: Mapping[str, Any]) -> None:
    """400 for a switch that is not in its only supported position."""
    if body.get("autoclass") not in (None, {}) and (
        not isinstance(body["autoclass"], dict) or body["autoclass"].get("enabled")
    ):
        raise unsupported("autoclass")
    policy = body.get("softDeletePolicy") or {}
    if not isinstance(policy, dict) or str(policy.get("retentionDurationSeconds") or 0) != "0":
        raise unsupported("softDeletePolicy: deleted objects cannot be restored; set retentionDurationSeconds to 0")


def _check_access(value: Any) -> Settings:
    _check_object("iamConfiguration", value)
    for switch in ("uniformBucketLevelAccess", "bucketPolicyOnly"):
        setting = value.get(switch)
        if setting is not None and (not isinstance(setting, dict) or setting.get("enabled") is False):
            raise unsupported(f"switching {switch} off: ACLs are missing")
    prevention = value.get("publicAccessPrevention", "inherited")
    if prevention not in ("inherited", "unspecified", "enforced"):
        raise invalid(f"{str(prevention)[:40]} is not a valid value of publicAccessPrevention.")
    return {"publicAccessPrevention": "inherited" if prevention == "unspecified" else prevention}


def _check_cors(rules: Any) -> Any:
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise invalid("cors must be a list of objects.")
    for rule in rules:
        for key in ("origin", "method", "responseHeader"):
            texts = rule.get(key, [])
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise invalid(f"{key} of a cors rule must be a list of strings.")
        if not isinstance(rule.get("maxAgeSeconds", 0), int):
            raise invalid("maxAgeSeconds of a cors rule must be a number.")
    return rules or None


def _check_labels(labels: Any) -> Any:
    _check_object("labels", labels)
    # A null value removes its label.
    if wrong := wrong_label({key: "" if value is None else value for key, value in labels.items()}):
        raise invalid(wrong)
    return labels


def _check_hierarchy(value: Any) -> Settings:
    if value not in ({}, {"enabled": False}):
        raise unsupported("hierarchicalNamespace")
    return {"enabled": False}


def _check_rpo(value: Any) -> str:
    if value != "DEFAULT":
        raise unsupported("rpo other than DEFAULT")
    return "DEFAULT"


def _check_versioning(value: Any) -> Any:
    _check_object("versioning", value)
    if not isinstance(value.get("enabled", False), bool):
        raise invalid("versioning.enabled must be true or false.")
    return value


def _check_object(field: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise invalid(f"{field} must be an object.")


#: The stored fields and their checks; a check returns None for an empty value, which is dropped.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "cors": _check_cors,
    "lifecycle": check_lifecycle,
    "labels": _check_labels,
    "versioning": _check_versioning,
    "storageClass": check_class,
    "location": check_location,
    "iamConfiguration": _check_access,
    "hierarchicalNamespace": _check_hierarchy,
    "rpo": _check_rpo,
}
