"""`matchGlob` patterns as regular expressions (https://cloud.google.com/storage/docs/json_api/v1/objects/list). Pure."""

import re

from localcloud.storage.errors import invalid

_PART = re.compile(r"\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|[{},]|.", re.DOTALL)
_SIMPLE = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def compile_glob(pattern: str) -> re.Pattern[str]:
    """`**/*.{jpg,png}` as a regular expression for whole names; 400 when it is malformed."""
    depth = 0
    translated = []
    for part in _PART.findall(pattern):
        depth += {"{": 1, "}": -1}.get(part, 0)
        translated.append(_translate(part, depth))
    try:
        return re.compile("".join(translated), re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        raise invalid(f"Invalid matchGlob: {pattern[:60]!r}") from None


def _translate(part: str, depth: int) -> str:
    if part in _SIMPLE:
        return _SIMPLE[part]
    if part in {"{", "}", ","}:
        return {"{": "(?:", "}": ")", ",": "|" if depth else ","}[part]
    if part.startswith("[") and len(part) > 2:
        inverted = part[1] in "!^"
        members = part[2 if inverted else 1 : -1].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
        return f"[{'^' if inverted else ''}{members}]"
    return re.escape(part[-1])
