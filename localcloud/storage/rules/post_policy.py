"""Signed policy documents, which limit the uploads of an HTML form. Pure.

https://cloud.google.com/storage/docs/xml-api/post-object-forms
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import LengthRange
from localcloud.storage.rules.signatures import PublicKey, check_form_signature

#: Fields that need no condition: the policy, its signature, the file with its type, and those that begin with `x-ignore-`.
_FREE = {"policy", "x-goog-signature", "file", "content-type"}
_IGNORED = "x-ignore-"


def check_form(fields: Mapping[str, str], values: Mapping[str, str], public_key: PublicKey, now: float) -> LengthRange | None:
    """The lengths that the policy allows; 400 or 403 for a form that breaks it.

    Other fields need a condition. Conditions also hold for the `values` that are no fields, such as the bucket.
    A form without a policy comes from an anonymous client, and passes.
    """
    if "policy" not in fields:
        return None
    check_form_signature(fields, public_key)
    policy = _parse(fields["policy"])
    if now > _expiration(policy):
        raise _refused("the policy has expired")
    lengths, allowed = None, set(_FREE)
    for condition in policy["conditions"]:
        operator, name, value = _condition(condition)
        if operator == "content-length-range":
            lengths = _lengths(name, value)
            continue
        allowed.add(name)
        actual = values.get(name, "")
        if not (actual.startswith(value) if operator == "starts-with" else actual == value):
            raise _refused(f"{operator} {name}: {value!r} does not hold")
    for name in fields.keys() - allowed:
        if not name.startswith(_IGNORED):
            raise _refused(f"no condition allows the field {name}")
    return lengths


def _parse(text: str) -> dict[str, Any]:
    try:
        policy = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        raise _refused("it is not base64 of a JSON object") from None
    if not isinstance(policy, dict) or not isinstance(policy.get("conditions"), list):
        raise _refused("conditions are missing")
    return policy


def _expiration(policy: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(policy.get("expiration"))).timestamp()
    except (ValueError, OverflowError):
        raise _refused("expiration is missing or malformed") from None


def _condition(condition: Any) -> tuple[str, Any, Any]:
    """Operator, field and value: `{"a": "b"}` is short for `["eq", "$a", "b"]`."""
    if isinstance(condition, dict) and len(condition) == 1:
        name, value = next(iter(condition.items()))
        return "eq", str(name).lower(), str(value)
    if isinstance(condition, list) and len(condition) == 3:
        operator, name, value = condition
        if operator == "content-length-range":
            return operator, name, value
        if operator in {"eq", "starts-with"} and isinstance(name, str) and name.startswith("$"):
            return operator, name[1:].lower(), str(value)
    raise _refused(f"a condition is malformed: {str(condition)[:80]}")


def _lengths(first: Any, last: Any) -> LengthRange:
    try:
        return int(first), int(last)
    except (TypeError, ValueError, OverflowError):
        raise _refused("content-length-range needs two numbers") from None


def _refused(detail: str) -> StorageError:
    message = f"The content of the form does not meet the conditions specified in the policy document: {detail}."
    return invalid(message, "InvalidPolicyDocument")
