"""Hypothesis against a small model of objects: generations, versions and all conditions."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from localcloud.http import Answer
from tests.localcloud.storage.direct import LIMITS, LONG, service, shown

pytestmark = pytest.mark.usefixtures("closed_service")
NAMES = st.sampled_from(["a", "b"])


@dataclass(frozen=True)
class Version:
    """The model of a generation."""

    generation: int
    metageneration: int
    data: bytes


NOTHING = Version(0, 0, b"")


@dataclass(frozen=True)
class Condition:
    """`ifGenerationMatch` and its siblings, relative to the state at the time of use."""

    field: str
    is_match: bool
    holds: bool

    def query(self, now: Version, prefix: str = "if") -> str:
        actual = now.generation if self.field == "Generation" else now.metageneration
        value = actual if self.is_match == self.holds else actual + 1
        return f"&{prefix}{self.field}{'' if self.is_match else 'Not'}Match={value}"


CONDITIONS = st.lists(
    st.builds(Condition, st.sampled_from(["Generation", "Metageneration"]), st.booleans(), st.booleans()), max_size=3
)
Conditions = list[Condition]


def hold(conditions: Conditions) -> bool:
    """Whether all hold; the first of a repeated one counts."""
    return all({(condition.field, condition.is_match): condition.holds for condition in reversed(conditions)}.values())


class Objects(RuleBasedStateMachine):
    """Objects of one bucket with versioning switched on and off, under any mixture of conditions."""

    def __init__(self) -> None:
        super().__init__()
        self.service = service()
        self.bucket = self.service.bucket()
        self.live: dict[str, Version] = {}
        self.kept: dict[tuple[str, int], Version] = {}
        self.is_versioned = False

    @rule(name=NAMES, data=st.binary(max_size=3), conditions=CONDITIONS)
    def write(self, name: str, data: bytes, conditions: Conditions) -> None:
        url = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={name}{self.query(name, conditions)}"
        self.expect_new(name, data, hold(conditions), self.service.call("POST", url, data))

    @rule(name=NAMES, data=st.binary(max_size=3), held=st.booleans())
    def write_xml(self, name: str, data: bytes, held: bool) -> None:
        conditions = [Condition("Generation", True, held)]
        wanted = self.query(name, conditions).partition("=")[2]
        answer = self.service.call("PUT", f"/{self.bucket}/{name}", data, x_goog_if_generation_match=wanted)
        self.expect_new(name, data, held, answer)

    @rule(source=NAMES, name=NAMES, conditions=CONDITIONS, of_source=CONDITIONS)
    def copy(self, source: str, name: str, conditions: Conditions, of_source: Conditions) -> None:
        query = self.query(name, conditions) + self.query(source, of_source, "ifSource")
        answer = self.service.call(
            "POST", f"/storage/v1/b/{self.bucket}/o/{source}/rewriteTo/b/{self.bucket}/o/{name}?x{query}"
        )
        if source not in self.live:
            assert answer.status == 404
        else:
            self.expect_new(name, self.live[source].data, hold(conditions) and hold(of_source), answer)

    @rule(name=NAMES, conditions=CONDITIONS)
    def compose(self, name: str, conditions: Conditions) -> None:
        body = json.dumps({"sourceObjects": [{"name": "a"}, {"name": "b"}]}).encode()
        answer = self.service.call(
            "POST", f"/storage/v1/b/{self.bucket}/o/{name}/compose?x{self.query(name, conditions)}", body
        )
        if len(self.live) < 2:
            assert answer.status == 404
        else:
            self.expect_new(name, self.live["a"].data + self.live["b"].data, hold(conditions), answer)

    @rule(name=NAMES, conditions=CONDITIONS, method=st.sampled_from(["PATCH", "PUT"]))
    def change(self, name: str, conditions: Conditions, method: str) -> None:
        url = f"/storage/v1/b/{self.bucket}/o/{name}?x{self.query(name, conditions)}"
        answer = self.service.call(method, url, b'{"metadata": {"a": "b"}}')
        if name not in self.live:
            assert answer.status == 404
        elif self.is_expected(hold(conditions), answer, 200):
            was = self.live[name]
            self.live[name] = Version(was.generation, was.metageneration + 1, was.data)

    @rule(name=NAMES, conditions=CONDITIONS, exactly=st.booleans())
    def delete(self, name: str, conditions: Conditions, exactly: bool) -> None:
        now = self.live.get(name, NOTHING)
        generation = f"&generation={now.generation}" if exactly else ""
        answer = self.service.call(
            "DELETE", f"/storage/v1/b/{self.bucket}/o/{name}?x{generation}{self.query(name, conditions)}"
        )
        if now is NOTHING:
            assert answer.status == 404
        elif self.is_expected(hold(conditions), answer, 204):
            self.retire(name, for_good=exactly)

    @rule(data=st.data())
    def delete_a_noncurrent_one(self, data: st.DataObject) -> None:
        if not self.kept:
            return
        name, generation = data.draw(st.sampled_from(sorted(self.kept)))
        assert self.service.call("DELETE", f"/storage/v1/b/{self.bucket}/o/{name}?generation={generation}").status == 204
        del self.kept[name, generation]

    @rule(enabled=st.booleans())
    def switch_versioning(self, enabled: bool) -> None:
        self.service.call("PATCH", f"/storage/v1/b/{self.bucket}", json.dumps({"versioning": {"enabled": enabled}}).encode())
        self.is_versioned = enabled

    @rule()
    def restart(self) -> None:
        self.service.restart()

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        items = shown(self.service.call("GET", f"/storage/v1/b/{self.bucket}/o?versions=true")).get("items", [])
        found = {(item["name"], int(item["generation"])): int(item["metageneration"]) for item in items}
        everything = {(name, version.generation): version for name, version in self.live.items()} | self.kept
        assert found == {key: version.metageneration for key, version in everything.items()}
        for (name, generation), version in everything.items():
            assert self.service.read(self.bucket, name, f"&generation={generation}") == version.data
        for name in ("a", "b"):
            live = self.live.get(name)
            assert self.service.read(self.bucket, name) == (live.data if live else None)

    def query(self, name: str, conditions: Conditions, prefix: str = "if") -> str:
        return "".join(condition.query(self.live.get(name, NOTHING), prefix) for condition in conditions)

    def expect_new(self, name: str, data: bytes, holds: bool, answer: Answer) -> None:
        if self.is_expected(holds, answer, 200):
            newest = max([0, *(v.generation for v in self.live.values()), *(generation for _, generation in self.kept)])
            self.retire(name)
            generation = self.generation(name)
            assert generation > newest
            self.live[name] = Version(generation, 1, data)

    def is_expected(self, holds: bool, answer: Answer, success: int) -> bool:
        assert answer.status == (success if holds else 412)
        return holds

    def generation(self, name: str) -> int:
        return int(shown(self.service.call("GET", f"/storage/v1/b/{self.bucket}/o/{name}"))["generation"])

    def retire(self, name: str, for_good: bool = False) -> None:
        old = self.live.pop(name, None)
        if old and self.is_versioned and not for_good:
            self.kept[name, old.generation] = old


TestObjects = Objects.TestCase
TestObjects.settings = LIMITS


@pytest.mark.long
class TestMoreObjects(Objects.TestCase):  # type: ignore[misc,valid-type]  # made by Hypothesis
    settings = LONG
