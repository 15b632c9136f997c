"""The numbers of files and rounds, which the environment may set."""

import os


def of(variable: str, default: int, least: int = 1) -> int:
    """The number that the variable has. Raises `SystemExit` for one of which no figure can be made."""
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdecimal()) or int(given) < least:
        raise SystemExit(f"{variable} is {given!r}; write a whole number, {least} or more")
    return int(given)
