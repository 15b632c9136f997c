"""Addresses of files and outputs, with everything in them that is not plain percent-encoded."""

from urllib.parse import quote, urlencode


def of_file(name: str, **parameters: str) -> str:
    """The page of a file. Browsers fold `.` and `..` in a path, also percent-encoded: such names go in the query."""
    is_folded = bool({".", ".."} & set(name.split("/")))
    path = "/files/" if is_folded else f"/files/{quote(name, safe='/')}"
    query = urlencode({**({"name": name} if is_folded else {}), **parameters}, quote_via=quote)
    return f"{path}?{query}" if query else path


def of_output(job_id: str, step: str, output: str) -> str:
    """The address that leads to an output by a signed link."""
    return f"/outputs/{job_id}/{step}/{quote(output, safe='')}"
