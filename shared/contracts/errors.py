"""The errors of each service, as the table in docs/http-api.md lists them; a test holds that table to the code."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.schemas import described, listed, record, ref, text
from shared.model import Json
from shared.settings import ROOT

PAGE = ROOT / "docs" / "http-api.md"
_ROW = re.compile(r"^\| (\d{3}) \| `([a-z_0-9]+)` \| ([a-z, ]+) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_MESSAGE = text("A sentence for people. It may change: decide by the status and the code.")
_FIELD = text("The field of the request that is at fault, where one is.")
_ACCEPTED = listed(ref("receipt"), "Receipts of the files before the faulty one, which are stored.")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: a code, the services that answer it (`all`: each), and its meaning."""

    status: int
    code: str
    services: tuple[str, ...]
    meaning: str

    def is_of(self, service: str) -> bool:
        return service in self.services or self.services == ("all",)


@functools.cache
def rows() -> tuple[Row, ...]:
    """Every row of the table, in its order."""
    found = _ROW.findall(PAGE.read_text())
    return tuple(Row(int(status), code, tuple(whose.split(", ")), _LINK.sub(r"\1", why)) for status, code, whose, why in found)


def codes(service: str, status: int) -> Mapping[str, str]:
    """The codes that this service answers with this status, with their meanings."""
    return {row.code: row.meaning for row in rows() if row.status == status and row.is_of(service)}


def answers(service: str) -> dict[str, Json]:
    """The responses of this service to refused requests, by status."""
    statuses = sorted({row.status for row in rows() if row.is_of(service)})
    return {str(status): _answer(service, status) for status in statuses}


def _answer(service: str, status: int) -> Json:
    found = codes(service, status)
    description = "\n".join(f"- `{code}`: {meaning}" for code, meaning in found.items())
    content = {"application/json": {"schema": _schema(service, list(found))}}
    return {"description": description, "headers": dict(_HEADERS.get(status, {})), "content": content}


def _schema(service: str, known: list[str]) -> Json:
    properties = {
        "error": described("The code, for programs.", type="string", enum=known),
        "message": _MESSAGE,
        "field": _FIELD,
    }
    if service == "upload":
        properties["accepted"] = _ACCEPTED
    return record("A refusal.", properties, optional=properties.keys() - {"error", "message"})


_HEADERS: Mapping[int, Mapping[str, Json]] = {
    405: {"Allow": {"required": True, **described("The methods of this path.", schema={"type": "string"})}},
    415: {
        "Accept-Encoding": described(
            "The codings that are unpacked, where that of the body is none.", schema={"type": "string"}
        )
    },
    503: {"Retry-After": {"required": True, **described("Seconds.", schema={"type": "string", "pattern": "^[0-9]+$"})}},
}
