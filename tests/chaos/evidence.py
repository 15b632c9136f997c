"""Evidence: the objects of the results bucket, the messages of the subscription, the posts of a webhook. No I/O."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Stored:
    """A version of an object in the results bucket; `created` is in seconds."""

    name: str
    metageneration: int
    crc32c: str
    created: float
    is_live: bool = True
    data: bytes = b""


@dataclass(frozen=True)
class Told:
    """A message of the subscription; `published` is in seconds."""

    attributes: Mapping[str, str]
    data: bytes
    published: float

    @property
    def id(self) -> str:
        return self.attributes.get("ce-id", "")


@dataclass(frozen=True)
class Evidence:
    """All versions of all objects in the results bucket, all messages, and the requests of a webhook: id and body."""

    stored: Sequence[Stored]
    told: Sequence[Told]
    posted: Sequence[tuple[str, bytes]] = ()

    @cached_property
    def objects(self) -> Mapping[str, Stored]:
        return {one.name: one for one in self.stored if one.is_live}

    @cached_property
    def manifests(self) -> Mapping[str, list[tuple[Stored, Json]]]:
        """The objects under `jobs/` by job id, the plan of a job with several first tasks among them."""
        found = (one for one in self.objects.values() if one.name.startswith("jobs/"))
        return grouped((_job_of(one.name), (one, json.loads(one.data))) for one in found)

    @cached_property
    def entries(self) -> Mapping[str, list[Stored]]:
        """The index entries by job id."""
        found = (one for one in self.objects.values() if one.name.startswith("index/"))
        return grouped((one.name.rpartition("/")[2].partition("-")[2], one) for one in found)

    @cached_property
    def notices(self) -> Mapping[str, list[Told]]:
        """The messages by job id."""
        return grouped((one.attributes.get("ce-subject", ""), one) for one in self.told)

    @cached_property
    def posts(self) -> Mapping[str, list[bytes]]:
        return grouped(self.posted)


def _job_of(name: str) -> str:
    """`jobs/<file id>/<generation>/0/…` → the job id; a later run has its number."""
    _, file_id, generation, run, _ = name.split("/")
    return f"{file_id}-{generation}" + (f"-r{run}" if run != "0" else "")


def grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
