"""Addresses of files and outputs, with everything in them that is not plain percent-encoded."""

from urllib.parse import quote, urlencode


def is_folded(name: str) -> bool:
    """Whether browsers change a path with this name: they fold `.` and `..`, also percent-encoded."""
    return bool({".", ".."} & set(name.split("/")))


def of_file(name: str, **parameters: str) -> str:
    """The page of a file. A name that browsers would fold goes in the query."""
    path = "/files/" if is_folded(name) else f"/files/{quote(name, safe='/')}"
    query = urlencode({**({"name": name} if is_folded(name) else {}), **parameters}, quote_via=quote)
    return f"{path}?{query}" if query else path


def of_output(job_id: str, step: str, output: str) -> str:
    """The address that leads to an output by a signed link."""
    return f"/outputs/{job_id}/{step}/{quote(output, safe='')}"
