"""Explaining a file, whether or not it exists: its routes, its plan, and its price. Nothing runs."""

import json
import mimetypes
from collections.abc import Iterator, Mapping

from shared import events, media, naming, pipeline, uploaded
from shared import metadata as custom
from shared.cloud.protocols import NO_METADATA, Cloud
from shared.errors import BadRequest
from shared.model import File, Json, Run
from shared.operations import prices
from shared.plan import Condition, Plan, PlannedStep
from shared.routes.definitions import REQUEST, TESTS, Route
from shared.setting_values import MAX_DIGITS

_SIGNS = {"is": "=", "in": "in", "min": ">=", "max": "<="}


def explain(
    name: str, cloud: Cloud, content_type: str = "", metadata: Mapping[str, str] = NO_METADATA, size: int | None = None
) -> Json:
    """The routes that take a file and why, its plan as a drawing, and the least that a run costs.

    Without a value given, the object's own counts; for one that does not exist, the content type follows from the name, and the
    size is unknown. Raises `BadRequest` for a name or content type that no object can have.
    """
    file, exists = _file(name, cloud, content_type, metadata, size)
    plan = cloud.routes.plan(file)
    return {
        "object": name,
        "exists": exists,
        "content_type": file.content_type,
        "size": file.size if exists or size is not None else None,
        "metadata": dict(file.metadata),
        **_outcome(file, plan, cloud),
        "routes": [_route(number, route, file) for number, route in enumerate(cloud.routes.routes, 1)],
        "steps": steps(plan),
        "plan": "".join(f"{line}\n" for line in drawn(name, plan)),
        "ignored": list(plan.ignored),
        "use": prices.of_plan(plan).to_json(),
    }


def from_query(name: str, query: Mapping[str, str], cloud: Cloud) -> Json:
    """The same for `?explain&content_type=…&size=…&x-goog-meta-<key>=…`. Raises `BadRequest`."""
    size = query.get("size", "")
    if size and (not size.isdecimal() or len(size) > MAX_DIGITS):
        raise BadRequest(f"size is {size[:80]!r}; send a whole number of bytes")
    given = custom.check(custom.prefixed(query))
    return explain(name, cloud, query.get("content_type", ""), given, int(size) if size else None)


def _file(name: str, cloud: Cloud, content_type: str, metadata: Mapping[str, str], size: int | None) -> tuple[File, bool]:
    if not naming.is_possible(name):
        raise BadRequest(f"{name[:80]!r} cannot be an object's name; send one of 1 to 1024 bytes", "bad_name")
    if content_type and not media.is_valid(content_type):
        raise BadRequest(f"{content_type[:80]!r} is not a media type; send one such as image/jpeg", "bad_content_type")
    live = cloud.uploads.find(name)
    shown = uploaded.live(live, cloud).content_type if live and not content_type else ""
    content_type = content_type or shown or mimetypes.guess_type(name)[0] or media.UNKNOWN
    known = live.size if live else 1  # an unknown size passes every limit
    metadata = metadata or (live.metadata if live else {})
    bucket, generation = cloud.settings.uploads_bucket, live.generation if live else 0
    return File(bucket, name, generation, known if size is None else size, content_type, "", metadata), live is not None


def _outcome(file: File, plan: Plan, cloud: Cloud) -> Json:
    """The verdict, reason and message of a file for which there is nothing to do; empty for one with tasks."""
    if ignored := events.why_ignored(file):
        return {"verdict": "skipped", "reason": "ignored", "message": ignored.reason}
    refused = pipeline.refusal(Run(file), plan, cloud) or ("", "", "")
    return dict(zip(("verdict", "reason", "message"), refused, strict=True))


def _route(number: int, route: Route, file: File) -> Json:
    """A route in the order of pipeline.toml, counted from 1, and the first of its tests that the file fails."""
    passed = route.passed(file.content_type, file.name, file.metadata, file.size)
    failed = TESTS[passed] if passed < len(TESTS) else ""
    steps = list(route.steps if failed else route.chosen(file.metadata))
    why = _why(failed, route, file) if failed else "every test passes"
    patterns = {"content_type": ", ".join(route.content_types), "name": ", ".join(route.names)}
    return {"route": number, **patterns, "steps": steps, "takes": not failed, "failed": failed, "why": why}


def _why(failed: str, route: Route, file: File) -> str:
    """The reason why a test fails. Values of metadata are the operator's: only their keys are shown."""
    if failed == "content_type":
        is_not = "is not" if len(route.content_types) == 1 else "is none of"
        unless = ", unless the bytes show another type" if route.by_bytes and not file.generation else ""
        return f"{media.essence(file.content_type)} {is_not} {', '.join(route.content_types)}{unless}"
    if failed == "name":
        matches_none = "does not match" if len(route.names) == 1 else "matches none of"
        return f"{file.name} {matches_none} {', '.join(route.names)}"
    if failed == "metadata":
        wrong = [key for key, value in route.metadata.items() if file.metadata.get(key) != value]
        return f"the metadata has another value, or none, for {', '.join(wrong)}"
    if failed == "max_bytes":
        return f"{file.size} bytes are more than {route.max_bytes}"
    return f"the metadata key {REQUEST} names none of {', '.join(route.steps)}"


def steps(plan: Plan) -> list[Json]:
    """Each step of a plan: what it does, where it waits, and its order."""
    return [_step(step, plan) for step in plan.steps]


def _step(step: PlannedStep, plan: Plan) -> Json:
    recipe, order = step.recipe, {"after": list(step.after), "when": _when(step.when)}
    made = {"step": step.name, "recipe_id": recipe.recipe_id, "processor": recipe.processor, "options": recipe.options}
    return {**made, "queue": step.queue, "stage": plan.place_of[step.name].stage, **order, "fault": step.fault}


def drawn(name: str, plan: Plan) -> Iterator[str]:
    """The lines of a drawing: each task with its stage and queue, each of its steps with those that it comes after."""
    yield name
    width = max((len(place.queue) for place in plan.places), default=0)
    for place in plan.places:
        is_last = place == plan.places[-1]
        for number, step in enumerate(plan.steps_at(place)):
            task = f"stage {place.stage}  {place.queue:<{width}}" if number == 0 else " " * (width + 9)
            branch = (" " if is_last else "│") if number else ("└" if is_last else "├")
            before = f"{', '.join(step.after)} ─▶ " if step.after else ""
            condition = f"  (when {_when(step.when)})" if step.when else ""
            yield f"{branch}{' ' if number else '─'} {task}  {before}{step.name}{condition}"


def _when(condition: Condition | None) -> str:
    if condition is None:
        return ""
    tests = (f"{condition.step}.{condition.fact} {_SIGNS[kind]} {json.dumps(right)}" for kind, right in condition.test.items())
    return " and ".join(tests)
