"""IAM policies of resources: one rule for all of Google Cloud. They are stored and returned, never enforced.

https://cloud.google.com/iam/docs/allow-policies
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def merged(bindings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The bindings, in JSON, as IAM keeps them: one for each role and condition, and each member of it once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for binding in bindings:
        condition = binding.get("condition") or None
        kept = found.setdefault((binding.get("role", ""), json.dumps(condition, sort_keys=True)), {**binding, "members": []})
        kept["members"] = list(dict.fromkeys([*kept["members"], *binding.get("members", [])]))
    return list(found.values())
