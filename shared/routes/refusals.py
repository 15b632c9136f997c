"""The reason why no route takes a file, for its sender. Values of metadata are the operator's: none is shown."""

from collections.abc import Iterable, Sequence

from shared.routes.definitions import REQUEST, Route


def sentence(test: str, nearest: Sequence[Route], content_type: str) -> str:
    """The refusal by the routes that came nearest, all of which the file fails at this test."""
    nothing = f"no route takes {content_type}"
    if test == "content_type":
        return f"{nothing}; accepted: {_listed(pattern for route in nearest for pattern in route.content_types)}"
    if test == "name":
        return f"{nothing} under this name; accepted: {_listed(pattern for route in nearest for pattern in route.names)}"
    if test == "metadata":
        return (
            f"{nothing} with this metadata; routes read the keys {_listed(key for route in nearest for key in route.metadata)}"
        )
    if test == "max_bytes":
        return f"{nothing} of this size; accepted: at most {max(route.max_bytes for route in nearest)} bytes"
    steps = _listed(step for route in nearest for step in route.steps)
    return f"{nothing} unless it asks for steps; name some in the metadata key {REQUEST}: {steps}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
