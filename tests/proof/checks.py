"""The invariants of a run, at every moment and at rest.

They see objects, notices and the work of processors, and no handler.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from shared.cloud.protocols import Stored
from shared.events import Notice
from shared.model import File, Json, Run
from shared.operations.cancel import Answer
from shared.plan import Plan, PlannedStep, Task
from shared.testing import crc32c
from tests.proof import oracle, scripted
from tests.proof.effects import EffectCloud
from tests.proof.oracle import Expected
from tests.proof.runs import CANCELLED, Runs, first_of, number_of, require
from tests.proof.scripted import Killed

#: Other deliveries of a task that can be under way while one of them finds all attempts begun.
MAX_BESIDE = 2


class Checks:
    """The invariants of one run, and what is needed to check them."""

    def __init__(self, cloud: EffectCloud) -> None:
        self.cloud = cloud
        #: by job id
        self.files: dict[str, File] = {}
        self._bytes: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Json]] = {}
        self.runs = Runs()
        self.notices: dict[str, Notice] = {}
        #: the ids of files that an operator cancels
        self.cancelling: set[str] = set()
        #: the ids of files of which a generation was overwritten or deleted
        self.vanished: set[str] = set()
        self._tries: Counter[tuple[str, str, str]] = Counter()
        self._spent: Counter[tuple[str, str]] = Counter()

    # ---- at every moment ----------------------------------------------------------------------------------------------

    def uploaded(self, stored: Stored, data: bytes) -> File:
        """Note a generation of a file."""
        file = File("uploads", stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c, stored.metadata)
        self.files[Run(file).job_id] = file
        self._bytes[Run(file).job_id] = data
        return file

    def created(self, stored: Stored, data: bytes) -> None:
        """Check a new object of the results bucket."""
        folder, _, name = stored.name.rpartition("/")
        if folder.startswith("index/"):
            self._indexed(folder.removeprefix("index/"), name.partition("-")[2], data)
        if not folder.startswith("jobs/"):
            return
        _, file_id, generation, number = folder.split("/")
        job_id = f"{file_id}-{generation}" + (f"-r{number}" if int(number) else "")
        body = json.loads(data)
        self.runs.may_commit(job_id, body)
        require(body["job"]["job_id"] == job_id, "a manifest of one generation stands in the folder of another")
        known = self.jobs.setdefault(job_id, {})
        require(known.get(name, body) == body, "a committed object changed")
        known[name] = body
        plans = {one["plan"]["id"] for one in known.values()}
        require(len(plans) == 1, "a run has two plans")
        if body["kind"] == "manifest":
            self._committed(job_id, body)

    def _indexed(self, kind: str, job_id: str, data: bytes) -> None:
        if kind == "rerun":
            first = first_of(job_id)
            before = {known: self.steps(known) for known in self.jobs if first_of(known) == first}
            self.runs.claimed(job_id, json.loads(data), before)
            self.files[job_id], self._bytes[job_id] = self.files[first], self._bytes[first]
        else:
            require(self._is_complete(job_id), "an index entry before the last manifest")
            expected = {job_id, *(self._step_id(job_id, step) for step in self.steps(job_id))}
            self.runs.ended(job_id, kind, self._verdict(job_id), expected <= set(self.notices))

    def _committed(self, job_id: str, body: Json) -> None:
        plan, ended = Plan.from_json(body["plan"]), self._ended(job_id)
        names = [step["step"] for one in self._manifests(job_id) for step in one["steps"]]
        require(len(names) == len(set(names)), "a step has two results")
        require(len({step["reason"] == CANCELLED for step in body["steps"]}) < 2, "a part of a task was cancelled")
        for step in body["steps"]:
            is_adopted = self.runs.adopts(job_id, step["recipe_id"])
            require(is_adopted or not step["adopted"], "a step has a result that its run's claim does not adopt")
            planned = plan.by_name[step["step"]]
            require(set(planned.after) <= set(ended), "a step ended before a step that it comes after")
            self._ended_rightly(planned, step, job_id, ended)

    def _ended_rightly(self, step: PlannedStep, actual: Json, job_id: str, ended: Mapping[str, Expected]) -> None:
        expected = oracle.result(step, self.files[job_id], self._bytes[job_id], ended)
        if actual["reason"] == CANCELLED:
            require(self.files[job_id].file_id in self.cancelling, "a step was cancelled without a request")
        elif actual["verdict"] in ("superseded", "gone"):
            vanished = self.files[job_id].file_id in self.vanished and expected.verdict not in ("skipped",)
            require(vanished, f"a file that was neither overwritten nor deleted is {actual['verdict']}")
        elif actual["verdict"] == "dead" and expected.verdict in ("succeeded", "failed"):
            require(self._may_be_dead(step, job_id), "a healthy step is dead")
        else:
            found = actual["verdict"], actual["reason"]
            require(found == (expected.verdict, expected.reason), f"a step ended as {found}, not as {expected.verdict}")
            require(actual["facts"] == expected.facts, "a step has the facts of another")
            self._hold(actual, expected)
            self._is_in_place(actual, job_id)

    def _hold(self, actual: Json, expected: Expected) -> None:
        names = [output["name"] for output in actual["outputs"]]
        require(sorted(names) == sorted(expected.outputs), "a step has other outputs than its options say")
        for output in actual["outputs"]:
            data = self.cloud.results.inner.read(output["object"])
            require(data is not None, "a manifest names an output that does not exist")
            require(crc32c(data or b"") == output["crc32c"], "a manifest describes other bytes than are stored")
            require(data == expected.outputs[output["name"]], "an output made from other input or options than its plan's")

    def _is_in_place(self, step: Json, job_id: str) -> None:
        number = number_of(step["adopted"] or job_id)
        folder = f"{step['recipe_id']}-r{number}" if number else step["recipe_id"]
        places = {output["object"].split("/")[-2] for output in step["outputs"]}
        require(places <= {folder}, "a run stores its outputs in the place of another")

    def _may_be_dead(self, step: PlannedStep, job_id: str) -> bool:
        """Whether its attempts may have been used up by processes that ended in the middle of their work."""
        script = step.recipe.options["script"]
        scripted_losses = sum(one in (scripted.DIE, scripted.RAISE) for one in script)
        return scripted_losses + self._spent[job_id, step.name] + MAX_BESIDE >= step.attempts

    def published(self, notices: Iterable[Notice]) -> None:
        """Check notices that are published together."""
        for notice in notices:
            event_id, body = notice.attributes["ce-id"], json.loads(notice.data)
            require(self.notices.setdefault(event_id, notice) == notice, "two notices of one ce-id differ")
            manifests = self._manifests(body["job_id"])
            if notice.attributes["ce-type"].startswith("sluice.step."):
                require(any(_is_cut_from(body, one) for one in manifests), "a notice without its manifest")
            else:
                require(self._is_complete(body["job_id"]), "a job notice before the last manifest")
                require(body["verdict"] == self._verdict(body["job_id"]), "the job's verdict is not that of its manifests")

    def cancelled(self, answer: Answer, claimed: Iterable[str]) -> None:
        """Check the answer to a request to cancel a file. `claimed` are the runs that had a claim before it."""
        job_id = answer.run.job_id
        later = [one for one in claimed if first_of(one) == first_of(job_id) and number_of(one) > answer.run.number]
        require(not later, "a run was cancelled that is not the newest")
        require(self._is_complete(job_id), "an operator was answered that a file is cancelled, but a step has not ended")
        require(not answer.had_ended or job_id in self.runs.entries, "a job is taken for ended before its index entry")
        actual = {step["step"] for step in self.steps(job_id) if step["reason"] == CANCELLED}
        require(
            {name for name, state in answer.steps.items() if state == CANCELLED} == actual, "a wrong step is named cancelled"
        )

    def tried(self, task: Task, step: str, source: bytes) -> int:
        """Check that a step may run now, on this input; returns the number of this try, from 0."""
        job_id, planned = task.run.job_id, task.plan.by_name[step]
        self.runs.may_work(job_id, planned.recipe.recipe_id)
        ended = self._ended(job_id)
        before = [name for name in planned.after if task.plan.place_of[name] != task.place]
        require(set(before) <= set(ended), "a step runs before the manifest of a step that it comes after")
        if not planned.recipe.input:
            require(source == self._bytes[job_id], "a step runs on another generation of its file")
        key = job_id, task.plan.plan8, step
        self._tries[key] += 1
        return self._tries[key] - 1

    def cut(self, task: Task | None, step: str, fault: BaseException | None) -> None:
        """Note a process that was killed at this step, which costs it an attempt. The script's own are counted there."""
        if task and isinstance(fault, Killed) and not isinstance(fault, scripted.ScriptedDeath):
            self._spent[task.run.job_id, step] += 1

    def refused(self, task: Task | None, label: str) -> None:
        """Note a call that got no answer. An attempt that cannot be noted as void counts."""
        if task and "attempts/" in label:
            self._spent[task.run.job_id, label.split("/")[-2]] += 1

    # ---- at rest ------------------------------------------------------------------------------------------------------

    def unfinished(self) -> list[Run]:
        """The runs without an index entry."""
        return [Run(file, number_of(job_id)) for job_id, file in self.files.items() if job_id not in self.runs.entries]

    def at_rest(self) -> None:
        """Check that every file has all that it should have. Raises `Violation`."""
        for job_id in self.files:
            require(job_id in self.jobs and self._is_complete(job_id), "at rest: a task without manifest")
            require(job_id in self.notices, "at rest: a job notice was never published")
            require(job_id in self.runs.entries, "at rest: no index entry")
            for manifest in self._manifests(job_id):
                ids = {f"{job_id}-{step['recipe_id']}" for step in manifest["steps"]}
                require(ids <= set(self.notices), "at rest: a step notice was never published")
        expected = {*self.files, *(self._step_id(job_id, step) for job_id in self.files for step in self.steps(job_id))}
        require(set(self.notices) == expected, "at rest: a notice of no step and no job")

    def plans(self) -> set[str]:
        """The ids of the plans that the runs followed."""
        return {one["plan"]["id"] for known in self.jobs.values() for one in known.values()}

    def steps(self, job_id: str) -> list[Json]:
        """The results that stand in the manifests of a job."""
        return [step for manifest in self._manifests(job_id) for step in manifest["steps"]]

    def _step_id(self, job_id: str, step: Json) -> str:
        return f"{job_id}-{step['recipe_id']}"

    def _manifests(self, job_id: str) -> list[Json]:
        return [one for one in self.jobs.get(job_id, {}).values() if one["kind"] == "manifest"]

    def _is_complete(self, job_id: str) -> bool:
        known = self.jobs.get(job_id, {})
        if not known:
            return False
        plan = Plan.from_json(next(iter(known.values()))["plan"])
        names = {"job.json" if plan.first == [place] else f"{place}.json" for place in plan.places}
        if not number_of(job_id) or not names:  # of a later run the claim decides the plan
            names.add("job.json")
        return set(known) == names

    def _ended(self, job_id: str) -> dict[str, Expected]:
        """The steps that have ended, as the oracle sees them."""
        return {step["step"]: self._as_expected(step) for step in self.steps(job_id)}

    def _as_expected(self, step: Json) -> Expected:
        outputs = {one["name"]: self.cloud.results.inner.read(one["object"]) or b"" for one in step["outputs"]}
        return Expected(step["verdict"], step["reason"], step["facts"], outputs)

    def _verdict(self, job_id: str) -> str:
        (first, *_), ended = self._manifests(job_id), self._ended(job_id)
        return oracle.verdict(ended.values()) if ended else str(first["verdict"])


def _is_cut_from(notice: Json, manifest: Json) -> bool:
    """Whether a step notice has all that the manifest says of its step."""
    return any(all(notice.get(key) == value for key, value in step.items()) for step in manifest["steps"])
