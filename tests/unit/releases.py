"""JSON as another release may write it."""

from typing import Any


def extended(value: Any) -> Any:
    """The same JSON as a newer release may write it: with one more field in every object but the free-form ones."""
    if isinstance(value, list):
        return [extended(part) for part in value]
    if not isinstance(value, dict):
        return value
    free = ("options", "facts", "metadata", "times", "cost", "when")
    parts = {key: part if key in free else extended(part) for key, part in value.items()}
    return parts | {"added": {"by": "a newer release"}}
