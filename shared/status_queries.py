"""The questions of the status service, each with its answer. What few of them need is loaded on first use."""

from collections.abc import Mapping

from shared import status
from shared.cloud.protocols import Cloud
from shared.errors import NotFound
from shared.model import Json


def answer(kind: str, asked: str, query: Mapping[str, str], cloud: Cloud) -> Json | str:
    """The answer to `/<kind>/<asked>?<query>`; for the address of an output, the signed link that it leads to.

    An object that has the whole name comes before an output, unless `link` asks for one. Raises `NotFound` and `BadRequest`.
    """
    if kind == "objects" and "explain" in query:
        from shared.operations import explain  # with it comes the pipeline, 5 % of a cold start

        return explain.from_query(asked, query, cloud)
    if "members" in query:
        from shared import members

        return members.page(kind, asked, query["members"], cloud)
    if "older" in query:
        identity = status.identity_of(asked, cloud) if kind == "objects" else status.parsed(asked)[0]
        return status.earlier(identity, query["older"], cloud)
    if kind == "jobs":
        return status.of_id(asked, cloud)
    if "link" in query:
        return _demanded(asked, cloud)
    try:
        return status.of_object(asked, cloud)
    except NotFound:
        found = status.link(asked, cloud)
        if not found:
            raise
        return found


def _demanded(path: str, cloud: Cloud) -> str:
    found = status.link(path, cloud)
    if not found:
        raise NotFound(f"{path!r} is no output's address; ask for /objects/<name>/<step>/<output>?link", "no_output")
    return found
