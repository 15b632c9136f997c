"""Options that the metadata of a file sets for this file: `sluice-<step>-<option>`."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from shared import model, processors
from shared.errors import PipelineError
from shared.metadata import OURS, RESERVED
from shared.plan import Plan, PlannedStep
from shared.routes.definitions import REQUEST, Step, requested

#: Limits of what a plan repeats of a file's metadata: a task carries the plan.
MAX_IGNORED = 20
MAX_CHARACTERS = 300


def concerns(metadata: Mapping[str, str]) -> bool:
    """Whether this metadata asks for steps or options."""
    return any(key.startswith(OURS) and key not in RESERVED for key in metadata)


def key(step: str, option: str) -> str:
    """The metadata key by which a file sets an option of this step."""
    return f"{OURS}{step}-{option.replace('_', '-')}"


def keys(steps: Mapping[str, Step]) -> list[str]:
    """Every key by which a file may ask for steps and options."""
    return [REQUEST, *(key(step.name, option) for step in steps.values() for option in step.per_file)]


def effective(metadata: Mapping[str, str], plan: Plan, steps: Mapping[str, Step]) -> Mapping[str, str]:
    """The metadata of a file with this plan, without the steps and options that have no effect."""
    asked = ",".join(name for name in requested(metadata) if name in plan.by_name)
    given = {name: value for name, value in {**metadata, REQUEST: asked}.items() if value}
    return {
        name: value for name, value in given.items() if not _is_option(name) or not _fault(*_split(name, steps), plan, steps)
    }


def _is_option(key: str) -> bool:
    return key.startswith(OURS) and key not in (REQUEST, *RESERVED)


def applied(plan: Plan, steps: Mapping[str, Step], metadata: Mapping[str, str], on_request: Collection[str]) -> Plan:
    """The plan with the file's own options. `ignored` names the keys and steps that have no effect."""
    ignored = [
        f"{REQUEST}: {name} is not a step on request for this file" for name in requested(metadata) if name not in on_request
    ]
    texts: dict[str, dict[str, str]] = {name: {} for name in plan.by_name}
    for name in filter(_is_option, sorted(metadata)):
        step, option = _split(name, steps)
        if fault := _fault(step, option, plan, steps):
            ignored.append(f"{name}: {fault}")
        else:
            texts[step][option] = metadata[name]
    return Plan(tuple(_changed(plan, texts)), tuple(_shortened(ignored)))


def _split(key: str, steps: Collection[str]) -> tuple[str, str]:
    """Step and option. A name may contain hyphens: the longest one that fits is meant.

    In an option, hyphens stand for underscores: gunicorn drops headers whose names contain one.
    """
    fitting = [name for name in steps if key.startswith(f"{OURS}{name}-")]
    step = max(fitting, key=len, default="")
    return step, key.removeprefix(f"{OURS}{step}-").replace("-", "_")


def _fault(step: str, option: str, plan: Plan, steps: Mapping[str, Step]) -> str:
    if not step:
        return f"no step has this name; the steps of this file are {', '.join(plan.by_name)}"
    if step not in plan.by_name:
        return f"{step} is not a step of this file"
    if option not in steps[step].per_file:
        return f"of {step}, a file may set {', '.join(steps[step].per_file) or 'no option'}"
    return ""


def _changed(plan: Plan, texts: Mapping[str, Mapping[str, str]]) -> Iterator[PlannedStep]:
    recipe_ids: dict[str, str] = {"": ""}
    for step in plan.steps:
        options, fault = _options(step.recipe, texts[step.name])
        made_by = recipe_ids[step.recipe.input.partition("/")[0]]
        recipe = _recipe(step.recipe, options, made_by)
        recipe_ids[step.name] = recipe.recipe_id
        yield replace(step, recipe=recipe, fault=fault)


def _recipe(configured: model.Recipe, options: Mapping[str, Any], made_by: str) -> model.Recipe:
    if options == configured.options and made_by == configured.made_by:
        return configured
    return model.recipe(
        configured.step,
        configured.processor,
        configured.version,
        options,
        input=configured.input,
        made_by=made_by,
        cache_control=configured.cache_control,
        copy_metadata=configured.copy_metadata,
    )


def _options(configured: model.Recipe, texts: Mapping[str, str]) -> tuple[Mapping[str, Any], str]:
    """The options with those that the file sets; if the processor refuses them, the configured ones and why."""
    if not texts:
        return configured.options, ""
    values = {option: _value(text, configured.options[option]) for option, text in texts.items()}
    try:
        return processors.find(configured.processor).check({**configured.options, **values}), ""
    except PipelineError as error:
        return configured.options, _reason(error, configured, texts)


def _reason(error: PipelineError, configured: model.Recipe, texts: Mapping[str, str]) -> str:
    beginning = f"{OURS}{configured.step}-"
    if error.message.startswith("options."):
        return _cut(error.message.replace("options.", beginning, 1))
    keys = ", ".join(beginning + option for option in texts)  # the text of an exception is not for whoever sends files
    return _cut(f"{keys}: {configured.processor} refuses this value; write one of the same type as in pipeline.toml")


def _value(text: str, configured: Any) -> Any:
    """JSON, else a list of values between commas where a list is configured, else text."""
    is_list = isinstance(configured, list)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [_value(part.strip(), None) for part in text.split(",")] if is_list else text
    if isinstance(configured, str) and not isinstance(value, str):
        return text  # "2024" for an option of text
    return [value] if is_list and not isinstance(value, list) else value


def _shortened(messages: list[str]) -> list[str]:
    kept = [_cut(message) for message in messages[:MAX_IGNORED]]
    return kept if len(messages) <= MAX_IGNORED else [*kept, f"and {len(messages) - MAX_IGNORED} more"]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."
