"""One delivery of a task: decide each step, fetch what it needs, run it, store its outputs.

A file is fetched once for all steps, and only when a step needs it. Attempts begin after the input is on disk: a fault of ours
before that costs none.
"""

import functools
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared import assets, capacity, clock, errors, extraction, ledger, metadata, outside, processors, source, stems
from shared.attempts import Attempts
from shared.cloud.protocols import AlreadyExists, Cloud, Stored
from shared.errors import BadFile, Transient, Unavailable, Vanished
from shared.ledger import Manifests
from shared.manifest import AFTER_FAILED, NOT_WANTED, Manifest
from shared.model import Output, Recipe, Result, Verdict
from shared.plan import FILE, PlannedStep, Task, file_facts
from shared.processors import Draft, Made

if TYPE_CHECKING:
    from shared.sandbox.room import Share

#: Limit of a fact in a message; a fact may have 64 KiB, and each step that tests it would repeat them in the manifest.
MAX_SHOWN_CHARACTERS = 80


def run(task: Task, delivery: int, cloud: Cloud, manifests: Manifests) -> list[Result]:
    """Run the steps of a task in their order, and return their results. `delivery` counts from 1.

    Raises `Transient` and unforeseen exceptions, to have the queue deliver again.
    """
    with ExitStack() as held:
        work = _Delivery(task, cloud, manifests, Attempts(task, delivery, cloud.results), held)
        for step in task.steps:
            work.ended[step.name] = work.end(step)
        return [work.ended[step.name] for step in task.steps]


def foregone(task: Task, manifests: Manifests) -> list[Result] | None:
    """The results of a task whose steps all end without work; None when some step needs work."""
    ended: dict[str, Result] = {}
    for step in task.steps:
        _read_before(step, ended, manifests)
        result = settled(step, task, ended)
        if result is None:
            return None
        ended[step.name] = result
    return [ended[step.name] for step in task.steps]


def settled(step: PlannedStep, task: Task, ended: Mapping[str, Result]) -> Result | None:
    """The result of a step that needs no work, or None. `ended` has every step before it. Pure."""
    before = [ended[name] for name in step.after]
    if unsuccessful := [result for result in before if result.verdict != "succeeded"]:
        return _skipped(step, unsuccessful)
    if step.when:
        facts = file_facts(task.file) if step.when.step == FILE else ended[step.when.step].facts
        if not step.when.holds(facts):
            value = json.dumps(step.when.value(facts), ensure_ascii=False)
            tested = f"{step.when.step}.{step.when.fact} is {value:.{MAX_SHOWN_CHARACTERS}}"
            return Result(step.name, step.recipe.recipe_id, "skipped", "when", f"its condition is false: {tested}")
    if step.fault:
        return Result(step.name, step.recipe.recipe_id, "failed", "bad_option", step.fault)
    return None


def _skipped(step: PlannedStep, unsuccessful: list[Result]) -> Result:
    is_wanted = any(result.verdict != "skipped" or result.reason not in NOT_WANTED for result in unsuccessful)
    named = ", ".join(f"{result.step} ({result.verdict})" for result in unsuccessful)
    reason = AFTER_FAILED if is_wanted else "after_skipped"
    return Result(step.name, step.recipe.recipe_id, "skipped", reason, f"it comes after {named}")


def _read_before(step: PlannedStep, ended: dict[str, Result], manifests: Manifests) -> None:
    """Add to `ended` the results of the steps before this one that it depends on, from their manifests."""
    tested = [step.when.step] if step.when and step.when.step != FILE else []
    for name in (*step.after, *tested):
        if name not in ended:
            ended |= manifests.of(name).results


@dataclass
class _Delivery:
    task: Task
    cloud: Cloud
    manifests: Manifests
    attempts: Attempts
    #: Its folder and its memory, from the first step that needs work until the end.
    held: ExitStack
    #: The results of the steps of this task so far, and of those before it that were asked for.
    ended: dict[str, Result] = field(default_factory=dict)
    #: Files on disk by input, or the error that fetching one raised; an input is `<step>/<output>`, or empty for the original.
    _inputs: dict[str, Path | BadFile | Vanished] = field(default_factory=dict)
    #: Of the original, undone on disk.
    _encoding: str = ""
    #: Of the current step, the paths of its assets by name.
    _assets: Mapping[str, Path] = field(default_factory=dict)
    #: Of the current step; they stand in its result also when it fails.
    _times: dict[str, str] = field(default_factory=dict)
    _cost: dict[str, float] = field(default_factory=dict)

    @functools.cached_property
    def folder(self) -> Path:
        return self.held.enter_context(self.cloud.sandbox.folder())

    @functools.cached_property
    def memory(self) -> "Share":
        """The memory for the file and all steps. Reserved at once: two deliveries with a part each would both wait."""
        self.cloud.sandbox.prepare()
        wanted = self.task.file.size + capacity.need([step.limits for step in self.task.steps])
        return self.held.enter_context(self.cloud.sandbox.reserved(wanted))

    def end(self, step: PlannedStep) -> Result:
        """The result of this step: decided, found, or worked for."""
        self._times, self._cost = {"begun": clock.now()}, {}
        _read_before(step, self.ended, self.manifests)
        return settled(step, self.task, self.ended) or self._adopted(step) or self.attempts.done(step) or self._work(step)

    def _adopted(self, step: PlannedStep) -> Result | None:
        """The result that the run's claim takes from a run before, or None."""
        name = self.task.adopted.get(step.recipe.recipe_id)
        if name is None:
            return None
        found = ledger.find(self.cloud.results, name)
        results = found.results.values() if isinstance(found, Manifest) else ()
        result = next((one for one in results if one.recipe_id == step.recipe.recipe_id), None)
        if result is None:
            raise Unavailable(f"the manifest {name}, from which step {step.name} is taken, cannot be read; retry")
        assert isinstance(found, Manifest)
        return replace(result, adopted=result.adopted or found.run.job_id)

    def _work(self, step: PlannedStep) -> Result:
        try:
            original = self._input(stems.filled(step.recipe.input, self.task.file.name))
            self._assets = assets.fetch(step.recipe, self.folder, self.cloud, self.memory)
        except (Vanished, BadFile) as error:
            return self.attempts.end(step, self._faulty(step, error))
        except Transient as error:
            self.attempts.error(step, 0, errors.summary(error))  # no attempt, but the status service shows why it waits
            raise
        self._times["fetched"] = clock.now()
        attempt = self.attempts.begin(step)
        if attempt is None:  # no further work: the cause of the failed attempts must not end this delivery too
            message = self.attempts.last_error(step)
            return Result(step.name, step.recipe.recipe_id, "dead", "attempts_used_up", message, attempt=step.attempts)
        result = self._attempt(step, attempt, original)
        return self.attempts.end(step, replace(result, times=self._times, cost=self._cost))

    def _attempt(self, step: PlannedStep, attempt: int, original: Path) -> Result:
        try:
            return self._run(step, attempt, original)
        except BadFile as error:
            return replace(self._faulty(step, error), attempt=attempt)
        except Transient as error:
            self.attempts.void(step, attempt, errors.summary(error))
            raise
        except Exception as error:  # unforeseen: the `dead` verdict names the error of the last attempt
            self.attempts.error(step, attempt, errors.summary(error))
            raise

    def _run(self, step: PlannedStep, attempt: int, original: Path) -> Result:
        folder = self.folder / step.name
        folder.mkdir()
        work = functools.partial(self._made, step, original)
        if extraction.concerns(step.recipe):
            made = extraction.Extraction(self.task, step, self.cloud, self.attempts).run(work, folder)
        else:
            made = work(stems.exact(step.recipe, self.task.file.name), folder)
        outputs = tuple(self._store(step, draft) for draft in made.drafts)
        if not self._is_kept(step):
            from shared.sandbox import folders  # only the processor loads the sandbox

            folders.delete(folder)
        self._times["stored"] = clock.now()
        self._cost["bytes_out"] = sum(output.size for output in outputs)
        facts = {**made.facts, **self._storage(step.recipe)}
        return Result(step.name, step.recipe.recipe_id, "succeeded", attempt=attempt, facts=facts, outputs=outputs)

    def _storage(self, recipe: Recipe) -> Mapping[str, str]:
        is_wanted = self._encoding and not recipe.input and processors.find(recipe.processor).describes_storage
        return {"content_encoding": self._encoding} if is_wanted else {}

    def _made(self, step: PlannedStep, original: Path, recipe: Recipe, folder: Path) -> Made:
        bytes_in = original.stat().st_size
        if outside.concerns(recipe):
            ran = outside.run(recipe, original, folder, step.limits, self.cloud)
        else:
            ran = self.cloud.sandbox.run(recipe, original, folder, step.limits, self._assets)
        self._times["worked"] = clock.now()
        cpu_seconds = round(self._cost.get("cpu_seconds", 0) + ran.cpu_seconds, 6)
        peak_bytes = max(self._cost.get("peak_bytes", 0), ran.peak_bytes)
        self._cost |= {"cpu_seconds": cpu_seconds, "peak_bytes": peak_bytes, "bytes_in": bytes_in, "bytes_out": 0}
        return ran.made()

    def _is_kept(self, step: PlannedStep) -> bool:
        """Whether the step's folder stays until the delivery ends: a later step needs it, or no step follows."""
        is_input = any(later.recipe.input.partition("/")[0] == step.name for later in self.task.steps)
        return is_input or step is self.task.steps[-1]

    def _store(self, step: PlannedStep, draft: Draft) -> Output:
        name = ledger.output_name(self.task.run, step.recipe, draft.name)
        marks = {extraction.HOPS: str(extraction.hops(self.task.file) + 1)}  # an upload of the output is one hop further
        copied = metadata.copied(self.task.file.metadata) if step.recipe.copy_metadata else {}
        described = metadata.joined(marks, copied), step.recipe.cache_control
        try:
            stored: Stored | None = self.cloud.results.create(name, draft.content_type, draft.path, *described)
            self._inputs[f"{step.name}/{draft.name}"] = draft.path
        except AlreadyExists:  # an earlier delivery stored it: the manifest describes the stored object
            stored = self.cloud.results.find(name)
        if stored is None:
            raise Unavailable(f"output {draft.name} exists but cannot be read; retry")
        return Output(draft.name, name, stored.content_type, stored.size, stored.crc32c, draft.facts)

    def _faulty(self, step: PlannedStep, error: BadFile | Vanished) -> Result:
        verdict: Verdict = error.verdict if isinstance(error, Vanished) else "failed"
        return Result(step.name, step.recipe.recipe_id, verdict, error.code, errors.summary(error))

    def _input(self, name: str) -> Path:
        """The file on disk, fetched once. Raises `BadFile`, `Vanished` and `Transient`."""
        if name not in self._inputs:
            path = self.folder / f"{len(self._inputs)}-source"  # no name of a step begins with a digit
            try:
                self._fetch(name, path)
                self._inputs[name] = path
            except (BadFile, Vanished) as error:
                self._inputs[name] = error
        found = self._inputs[name]
        if isinstance(found, Path):
            return found
        raise found

    def _fetch(self, name: str, path: Path) -> None:
        if not name:
            self._encoding = source.fetch(self.task.file, path, self.cloud, self.memory)
            return
        step, _, output = name.partition("/")
        stored = next((one for one in self.ended[step].outputs if one.name == output), None)
        if stored is None:
            made = ", ".join(one.name for one in self.ended[step].outputs) or "no output"
            raise BadFile(f"its input {name} was not made; step {step} made {made}", "no_input")
        self.memory.grow(stored.size)
        source.fetch_output(stored, path, self.cloud)
