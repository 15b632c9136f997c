"""The checker of `make chaos` finds each violation that is planted in sound evidence."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.settings import ROOT
from tests.chaos import contents
from tests.chaos.checker import DIGITS, Findings, check, job_id
from tests.chaos.evidence import Evidence, Stored, Told
from tests.chaos.ledger import Entry, Ledger, crc32c

TOKENS = {"picture": "00ff12ab00ff12ab", "text": "0123456789abcdef", "broken": "1111111111111111", "two": "2222222222222222"}
Plant = Callable[[Evidence], Evidence]


def entry(kind: str) -> Entry:
    content = contents.made(kind, TOKENS[kind])
    return Entry(f"aa/{kind}", 1_700_000_000_000_000 + len(kind), crc32c(content.data), kind, content.token, "bucket")


PICTURE, TEXT, BROKEN, TWO = (entry(kind) for kind in TOKENS)
PICTURE_ID, TEXT_ID = job_id(PICTURE), job_id(TEXT)


def result(step: str, verdict: str, made_from: str = "", outputs: Sequence[Any] = (), **facts: str) -> dict[str, Any]:
    recipe = {"recipe_id": f"{step}-1", "step": step, "input": made_from}
    return {"step": step, "recipe_id": f"{step}-1", "recipe": recipe, "verdict": verdict, "outputs": outputs, "facts": facts}


def evidence_of(of: Entry, verdict: str, tasks: Sequence[dict[str, Any]], outputs: Sequence[Stored] = ()) -> Evidence:
    """A manifest for each task of one step, its notices, the job's notice, its entry."""
    file_id, _, generation = job_id(of).partition("-")
    file = {"name": of.name, "generation": generation, "crc32c": of.crc32c}
    plan = {"steps": [{"recipe": step["recipe"]} for step in tasks]}
    stored, told = [*outputs], []
    for number, step in enumerate(tasks):
        body = {"kind": "manifest", "job": {"file": file}, "plan": plan, "steps": [step]}
        name = "job.json" if not number else f"{number}-queue.json"
        stored.append(kept(f"jobs/{file_id}/{generation}/0/{name}", json.dumps(body).encode(), 10.0 * number + 1))
        told.append(notice(of, f"-{step['recipe_id']}", step, 10.0 * number + 2))
    told.append(notice(of, "", {"verdict": verdict, "steps": list(tasks)}, 100))
    stored.append(kept(f"index/{verdict}/{DIGITS - of.generation:016d}-{job_id(of)}", b"", 101))
    post = b'{"data": ' + told[-1].data + b"}"
    return Evidence(stored, told, [(job_id(of), post)] if verdict == "failed" else [])


def kept(name: str, data: bytes, created: float) -> Stored:
    return Stored(name, 1, crc32c(data), created, True, data)


def notice(of: Entry, suffix: str, body: dict[str, Any], published: float) -> Told:
    file = {"name": of.name, "generation": of.generation, "crc32c": of.crc32c}
    body = {"verdict": "", "file": file, **body}
    attributes = {"ce-id": job_id(of) + suffix, "ce-subject": job_id(of), "verdict": body["verdict"]}
    return Told(attributes, json.dumps(body).encode(), published)


def output(of: Entry, name: str, data: bytes) -> tuple[Stored, dict[str, str]]:
    stored = kept(f"files/{of.name}/{of.generation}/{name}", data, 0.5)
    return stored, {"object": stored.name, "crc32c": stored.crc32c}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sound() -> Evidence:
    broken = evidence_of(BROKEN, "failed", [result("icon", "failed")])
    parts = [picture(PICTURE.token, PICTURE.token), text(TEXT.token), broken, two(TWO.token)]
    every = [[one for part in parts for one in getattr(part, name)] for name in ("stored", "told", "posted")]
    return Evidence(*every)


def checked(evidence: Evidence) -> Findings:
    ledger = Ledger([PICTURE, TEXT, BROKEN, TWO], {(TWO.name, TWO.generation): "overwritten"})
    return check(ledger, evidence, "failed")


def without(part: str) -> Plant:
    """Plant the loss of the objects or messages that have this in their names or ids."""
    return lambda sound: Evidence(
        [one for one in sound.stored if part not in one.name], [one for one in sound.told if one.id != part], sound.posted
    )


def renamed(part: str, new: str) -> Plant:
    return lambda sound: replace(sound, stored=[replace(one, name=one.name.replace(part, new)) for one in sound.stored])


def beside(*stored: Stored) -> Plant:
    return lambda sound: replace(sound, stored=[*sound.stored, *stored])


def changed(part: str, change: Callable[[Stored], Stored]) -> Plant:
    return lambda sound: replace(sound, stored=[change(one) if part in one.name else one for one in sound.stored])


def with_data(one: Stored, data: bytes) -> Stored:
    return replace(one, data=data, crc32c=crc32c(data))


def edited(part: str, old: str, new: str) -> Plant:
    """Plant other bytes, with their right checksum."""

    def edit(one: Stored) -> Stored:
        data = one.data.replace(old.encode(), new.encode())
        assert data != one.data
        return with_data(one, data)

    return changed(part, edit)


def told_also(told: Told) -> Plant:
    return lambda sound: replace(sound, told=[*sound.told, told])


def retold(identity: str, change: Callable[[Told], Told]) -> Plant:
    return lambda sound: replace(sound, told=[change(one) if one.id == identity else one for one in sound.told])


def instead(of: Entry, part: Evidence) -> Plant:
    """Plant this in place of all that belongs to a file: consistent in itself, and of another file."""
    mine = f"{job_id(of)}|{job_id(of).replace('-', '/')}|files/{of.name}/"

    def plant(sound: Evidence) -> Evidence:
        stored = [one for one in sound.stored if not re.search(mine, one.name)]
        told = [one for one in sound.told if one.attributes["ce-subject"] != job_id(of)]
        return Evidence([*stored, *part.stored], [*told, *part.told], sound.posted)

    return plant


def text(token: str) -> Evidence:
    """The evidence of the text, made from a file with this token."""
    stored, listed = output(TEXT, "text.txt", contents.made("text", token).data)
    return evidence_of(TEXT, "succeeded", [result("text", "succeeded", "", [listed])], [stored])


def picture(token: str, of: str) -> Evidence:
    """The evidence of the picture: its icon made from one file, the digest of the icon from another one."""
    stored, listed = output(PICTURE, "64.png", contents.made("picture", token).data)
    seal = result("seal", "succeeded", "icon/64.png", sha256=digest(contents.made("picture", of).data))
    return evidence_of(PICTURE, "succeeded", [result("icon", "succeeded", "", [listed]), seal], [stored])


def two(token: str) -> Evidence:
    """The evidence of the file with two steps, one of them the digest of a file with this token."""
    seen = digest(contents.made("two", token).data)
    return evidence_of(TWO, "superseded", [result("text", "superseded"), result("digest", "succeeded", sha256=seen)])


OTHER = "feedfeedfeedfeed"
ENTRY = f"{DIGITS - TEXT.generation:016d}-{TEXT_ID}"
MANIFEST = f"jobs/{TEXT_ID.replace('-', '/')}/0/job.json"
SEAL = f"jobs/{PICTURE_ID.replace('-', '/')}/0/1-queue.json"

LOST: dict[str, Plant] = {
    "an index entry": without(ENTRY),
    "the notice of a job": without(TEXT_ID),
    "the notice of a step": without(f"{TEXT_ID}-text-1"),
    "a first manifest": without(MANIFEST),
    "a second manifest": without(SEAL),
    "all of a file": lambda sound: without(TEXT_ID)(without("text")(without(TEXT_ID.replace("-", "/"))(sound))),
    "a healthy file that is dead": renamed(f"index/succeeded/{ENTRY}", f"index/dead/{ENTRY}"),
    "a kept file that is superseded": renamed(f"index/succeeded/{ENTRY}", f"index/superseded/{ENTRY}"),
    "an overwritten file that is gone": renamed("index/superseded/", "index/gone/"),
    "poison that succeeded": renamed("index/failed/", "index/succeeded/"),
    "a post": lambda sound: replace(sound, posted=[]),
}
CONFLICTING: dict[str, Plant] = {
    "a second entry": beside(kept(f"index/failed/{ENTRY}", b"", 200)),
    "an entry out of its order": renamed(ENTRY, f"{DIGITS - TEXT.generation - 1:016d}-{TEXT_ID}"),
    "two plans": edited(SEAL, '"plan": {', '"plan": {"id": "other", '),
    "a step with two results": lambda sound: beside(
        kept(MANIFEST.replace("job.json", "0-other.json"), sound.objects[MANIFEST].data, 1)
    )(sound),
    "a manifest of another generation": edited(MANIFEST, f'"{TEXT.generation}"', '"1"'),
    "a manifest of other bytes": edited(MANIFEST, TEXT.crc32c, "AAAAAA=="),
    "an output that is not stored": without("text.txt"),
    "other bytes of an output": changed("text.txt", lambda one: replace(one, data=b"other")),
    "another checksum of an output": changed("text.txt", lambda one: replace(one, crc32c="AAAAAA==")),
    "the text of another file": instead(TEXT, text(OTHER)),
    "the picture of another file": instead(PICTURE, picture(OTHER, OTHER)),
    "the digest of another output": instead(PICTURE, picture(PICTURE.token, OTHER)),
    "the digest of another file": instead(TWO, two(OTHER)),
    "two notices of one id": told_also(notice(TEXT, "", {"verdict": "succeeded", "steps": []}, 100)),
    "a notice of no manifest": told_also(notice(TEXT, "-other-1", {}, 50)),
    "a step's notice unlike its manifest": retold(
        f"{TEXT_ID}-text-1", lambda one: replace(one, data=one.data.replace(b'"step": "text"', b'"step": "tex"'))
    ),
    "a job's notice of another verdict": retold(
        TEXT_ID, lambda one: replace(one, data=one.data.replace(b'"succeeded"', b'"dead"', 1))
    ),
    "a job's notice without a step": retold(TEXT_ID, lambda _: notice(TEXT, "", {"verdict": "succeeded", "steps": []}, 100)),
    "an object that was replaced": beside(replace(kept(MANIFEST, b"{}", 0), is_live=False)),
    "an object that was deleted": beside(replace(kept("index/dead/1-x", b"", 0), is_live=False)),
    "an object that was changed": changed(MANIFEST, lambda one: replace(one, metageneration=2)),
    "a later run without a claim": renamed(MANIFEST, MANIFEST.replace("/0/", "/1/")),
    "the notice of an unknown upload": told_also(Told({"ce-id": "x-1", "ce-subject": "x-1"}, b"{}", 1)),
}
EARLY: dict[str, Plant] = {
    "a step's notice before its manifest": retold(f"{TEXT_ID}-text-1", lambda one: replace(one, published=0.9)),
    "a job's notice before its last manifest": retold(PICTURE_ID, lambda one: replace(one, published=10.5)),
    "an entry before the job's notice": changed(ENTRY, lambda one: replace(one, created=99.0)),
    "an early notice that was repeated": told_also(notice(TEXT, "", {"verdict": "succeeded", "steps": []}, 0.5)),
}


def test_the_checker_imports_nothing_of_sluice() -> None:
    print_modules = "import sys, tests.chaos.checker; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", print_modules], cwd=ROOT, capture_output=True, text=True, check=True)

    assert {"tests", "PIL"} <= set(done.stdout.split())
    assert not {"shared", "functions", "local", "localcloud", "cli"} & set(done.stdout.split())


def test_sound_evidence_has_no_violation() -> None:
    assert checked(sound()) == Findings()


def test_repeated_messages_and_posts_are_no_violation() -> None:
    whole = sound()

    assert not checked(Evidence(whole.stored, [*whole.told, *whole.told], [*whole.posted, *whole.posted]))


@pytest.mark.parametrize("plant", LOST.values(), ids=LOST)
def test_a_loss_is_found(plant: Plant) -> None:
    assert len(checked(plant(sound())).lost) == 1


@pytest.mark.parametrize("plant", CONFLICTING.values(), ids=CONFLICTING)
def test_a_conflict_is_found(plant: Plant) -> None:
    found = checked(plant(sound()))

    assert found.conflicting


@pytest.mark.parametrize("plant", EARLY.values(), ids=EARLY)
def test_an_early_notice_is_found(plant: Plant) -> None:
    assert checked(plant(sound())).early
