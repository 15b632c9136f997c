"""`matchGlob` of a list. Pure.

https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob

A regular expression could take years for `*a*a*a*b`. Here all readings of a pattern advance together, character by character: the
bits of a number are the places in the pattern that the name so far can have reached.
"""

import re

from localcloud.storage.errors import StorageError, invalid

#: A longer pattern has more characters than a name.
MAX_CHARACTERS = 1024

_PART = re.compile(r"(?:(?<![^/{,])\*\*/)|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|[{},]|.", re.DOTALL)
_STARS = {"*": "[^/]", "**": "."}


class Glob:
    """`**/*.{jpg,png}`. Raises `StorageError` for a malformed pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        if len(pattern) > MAX_CHARACTERS:
            raise invalid(f"matchGlob has {len(pattern)} characters, limit {MAX_CHARACTERS}.")
        #: Of each place, the characters that lead to the next one, or that stay there.
        self._steps: dict[int, re.Pattern[str]] = {}
        self._stays: dict[int, re.Pattern[str]] = {}
        #: Of each place, those that are reached from it without a character. All lie further on.
        self._skips: dict[int, int] = {}
        self._end = 0
        self._open: list[list[int]] = []  # of each open brace, the places of its alternatives and of the commas between them
        for part in _PART.findall(pattern):
            self._add(part)
        if self._open:
            raise self._malformed()
        self._ordered = sorted(self._skips.items())
        self._moves: dict[str, tuple[int, int]] = {}

    def matches(self, name: str) -> bool:
        """Whether the whole name matches."""
        places = self._spread(1)
        for character in name:
            step, stay = self._moves.get(character) or self._learn(character)
            places = self._spread((places & step) << 1 | places & stay)
            if not places:
                return False
        return bool(places >> self._end & 1)

    def _add(self, part: str) -> None:
        here = self._end
        if part == "**/":  # any number of folders, none included
            self._skip(here, here + 1)
            self._end += 1
            self._add("**")
            self._add("/")
            self._skip(here, self._end)
        elif part in _STARS:
            self._stays[here] = re.compile(_STARS[part], re.DOTALL)
            self._skip(here, here + 1)
            self._end += 1
        elif part in {"{", "}"} or (part == "," and self._open):
            self._brace(part, here)
        else:
            self._steps[here] = self._single(part)
            self._end += 1

    def _brace(self, part: str, here: int) -> None:
        self._end += 1
        if part == "{":
            self._open.append([here])
            self._skip(here, here + 1)
        elif part == ",":
            self._skip(self._open[-1][0], here + 1)
            self._open[-1].append(here)
        elif not self._open:
            raise self._malformed()
        else:
            for place in (*self._open.pop()[1:], here):
                self._skip(place, here + 1)

    def _single(self, part: str) -> re.Pattern[str]:
        """The expression of a part that stands for one character."""
        if part == "?":
            return re.compile("[^/]")
        if not (part.startswith("[") and len(part) > 2):
            return re.compile(re.escape(part[-1]))
        is_inverted = part[1] in "!^"
        members = part[2 if is_inverted else 1 : -1]
        for special in "\\[]&~|":
            members = members.replace(special, f"\\{special}")
        try:
            return re.compile(f"[{'^' if is_inverted else ''}{members}]")
        except re.error:
            raise self._malformed() from None

    def _skip(self, place: int, to: int) -> None:
        self._skips[place] = self._skips.get(place, 0) | 1 << to

    def _spread(self, places: int) -> int:
        """These places, and those reached from them without a character."""
        for place, to in self._ordered:
            if places >> place & 1:
                places |= to
        return places

    def _learn(self, character: str) -> tuple[int, int]:
        moves = self._moves[character] = _bits(self._steps, character), _bits(self._stays, character)
        return moves

    def _malformed(self) -> StorageError:
        return invalid(f"Invalid matchGlob: {self._pattern[:60]!r}")


def _bits(expressions: dict[int, re.Pattern[str]], character: str) -> int:
    return sum(1 << place for place, expression in expressions.items() if expression.fullmatch(character))
