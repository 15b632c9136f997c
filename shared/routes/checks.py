"""The table of a pipeline.toml → `Routes`. Every fault is collected; nothing is built from a table that has one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared import model, processors
from shared.errors import PipelineError
from shared.model import Limits
from shared.plan import FILE, Condition, Plan
from shared.routes import deadlines, keys, order, pools, relations, separation, webhooks
from shared.routes.definitions import Pool, Queue, Route, Step
from shared.routes.faults import Faults, below
from shared.routes.kinds import in_bytes
from shared.routes.planning import Routes

#: Limit of the JSON of a plan. A task carries one, and Cloud Tasks takes 100 kB for all of a task.
MAX_PLAN_BYTES = 64 << 10
#: The right values of each table, by name.
Tables = Mapping[str, Mapping[str, Any]]


def check(table: Mapping[str, Any]) -> Routes:
    """Check the whole table of a pipeline.toml.

    Raises `BadConfiguration` with every fault in a line of its own: its key, and a right value.
    """
    faults = Faults()
    whole = faults.read("", table, keys.TOP)
    faults.names = {kind: list(whole[kind]) for kind in ("queues", "steps") if kind in whole}
    pool_of = pools.read(faults, whole.get("pools"), is_given=isinstance(table, dict) and "pools" in table)
    queues = {name: _queue(faults, name, value) for name, value in whole.get("queues", {}).items()}
    steps = {name: _step(faults, name, value) for name, value in whole.get("steps", {}).items()}
    routes = [faults.read(f"routes[{number}]", value, keys.ROUTE) for number, value in enumerate(whole.get("routes", ()), 1)]
    relations.check(faults, steps)
    receivers = webhooks.read(faults, whole.get("webhooks", {}))
    faults.settle()
    checked = replace(_built(pool_of, queues, steps, routes), webhooks=receivers)
    _check_size(faults, checked)
    faults.settle()
    deadlines.check(faults, checked)
    separation.check(faults, checked)
    faults.settle()
    return checked


def _queue(faults: Faults, name: str, value: Any) -> dict[str, Any]:
    path = below("queues", name)
    faults.check_name(path, name, keys.QUEUE_NAME)
    right = faults.read(path, value, keys.QUEUE)
    pools.check_default(faults, path, value)
    least, most = right.get("min_backoff_seconds", 0), right.get("max_backoff_seconds", 3600)
    if least > most:
        faults.wrong(f"{path}.min_backoff_seconds", float(least), f"write at most {most:g}, which is max_backoff_seconds")
    return right


def _step(faults: Faults, name: str, value: Any) -> dict[str, Any]:
    path = below("steps", name)
    faults.check_name(path, name, keys.STEP_NAME)
    if name == FILE:
        faults.add(path, "stands for the file itself in `when`", "rename the step")
    right = faults.read(path, value, keys.STEP)
    if "when" in right:
        right["when"] = _condition(faults, f"{path}.when", right["when"])
    try:
        return right | _work(faults, path, right) if "processor" in right else right
    except PipelineError as error:
        faults.refused(path, error)
        return {key: value for key, value in right.items() if key != "processor"}


def _work(faults: Faults, path: str, right: Mapping[str, Any]) -> dict[str, Any]:
    processor = processors.find(right["processor"])
    options = processor.check(right.get("options", {}))
    remedy = f"list some of {', '.join(options)}" if options else f"leave it out: {processor.name} has no options"
    for option in (option for option in right.get("per_file", ()) if option not in options):
        faults.wrong(f"{path}.per_file", option, remedy)
    return {"processor": processor, "options": options}


def _condition(faults: Faults, path: str, value: Any) -> Condition | None:
    right = faults.read(path, value, keys.WHEN)
    test = {kind: right[kind] for kind in keys.TESTS if kind in right}
    given = {kind for kind in keys.TESTS if kind in value}
    if given not in ({"is"}, {"in"}, {"min"}, {"max"}, {"min", "max"}):
        faults.add(path, f"has {' and '.join(sorted(given)) or 'no test'}", "write one of is, in, min, max, or min and max")
    elif test.get("min", 0) > test.get("max", test.get("min", 0)):
        faults.wrong(f"{path}.min", test["min"], f"write at most {test['max']}, which is max")
    return Condition(right["step"], right["fact"], test) if {"step", "fact"} <= right.keys() else None


def _built(pool_of: Mapping[str, Pool], queues: Tables, steps: Tables, routes: Sequence[Mapping[str, Any]]) -> Routes:
    queue_of = {name: Queue(name, **numbers) for name, numbers in queues.items()}
    built: dict[str, Step] = {}
    for name in order.listed({name: step.get("after", ()) for name, step in steps.items()}):
        right = steps[name]
        processor, made_from = right["processor"], right.get("input", "")
        made_by = built[made_from.partition("/")[0]].recipe.recipe_id if made_from else ""
        stored_with = {key: right[key] for key in ("cache_control", "copy_metadata") if key in right}
        exact = name, processor.name, processor.version, right["options"]
        recipe = model.recipe(*exact, input=made_from, made_by=made_by, **stored_with)
        after, per_file = _unique(right.get("after", ())), _unique(right.get("per_file", ()))
        built[name] = Step(recipe, queue_of[right["queue"]], _limits(right), after, right.get("when"), per_file)
    return Routes(pool_of, queue_of, built, tuple(map(_route, routes)))


def _route(right: Mapping[str, Any]) -> Route:
    types, names = (_unique(value) if isinstance(value := right[key], list) else (value,) for key in ("content_type", "name"))
    others = {key: value for key, value in right.items() if key not in ("content_type", "name")}
    return Route(types, names, **(others | {"steps": _unique(right["steps"])}))


def _limits(right: Mapping[str, Any]) -> Limits:
    """The processor's limits, but for those that the step sets."""
    default: Limits = right["processor"].limits
    memory_bytes = in_bytes(right["memory"]) if "memory" in right else default.memory_bytes
    return Limits(memory_bytes, right.get("seconds", default.seconds), right.get("output_bytes", default.output_bytes))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _check_size(faults: Faults, routes: Routes) -> None:
    whole = Plan(tuple(step.planned(step.queue) for step in routes.steps.values()))
    size = len(model.canonical(whole.to_json()))
    if size >= MAX_PLAN_BYTES:
        problem = f"a plan of all steps has {size} bytes of JSON, which a task cannot carry"
        faults.add("steps", problem, f"keep it below {MAX_PLAN_BYTES} with fewer steps or shorter options")
