"""Which patterns match one and the same text. `definitions.matches` says which texts a pattern has."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

#: Limit of the walk. Beyond it, all patterns count as matching one text.
MAX_STATES = 4000
#: Stands for every character that no pattern spells out.
OTHER = ""
#: For each pattern that may still match, where the text so far has led.
State = tuple[tuple[str, int], ...]


def sets(patterns: Iterable[str]) -> set[frozenset[str]]:
    """For every text, the patterns that match it; each such set once, without the empty one.

    Walks all patterns side by side, a character at a time, through every state that some text leads to.
    """
    return set(_sets(frozenset(patterns)))


@functools.cache
def _sets(patterns: frozenset[str]) -> set[frozenset[str]]:
    """Several checks ask for those of the same pipeline."""
    automata = {pattern: _automaton(pattern) for pattern in patterns}
    start: State = tuple((pattern, one.start) for pattern, one in automata.items())
    seen: set[State] = set()
    waiting = [start]
    while waiting and len(seen) <= MAX_STATES:
        later = set(_next(waiting.pop(), automata)) - seen
        seen |= later
        waiting += later
    if waiting:
        return {frozenset(automata)}
    found = {frozenset(pattern for pattern, reached in state if reached & automata[pattern].end) for state in seen}
    return found - {frozenset()}


def _next(state: State, automata: Mapping[str, "_Automaton"]) -> Iterator[State]:
    spelled = {char for pattern, reached in state for char, at in automata[pattern].literals.items() if reached & at}
    for char in {OTHER, "/", *spelled}:
        moved = ((pattern, automata[pattern].after(reached, char)) for pattern, reached in state)
        yield tuple((pattern, reached) for pattern, reached in moved if reached)


@dataclass(frozen=True, slots=True)
class _Automaton:
    """A pattern as sets of places in it, which are bits: bit n is the place after its first n parts.

    `literals` has the places before each character, the others those before each kind of wildcard.
    """

    literals: Mapping[str, int]
    question: int
    star: int
    double_star: int
    end: int

    @property
    def start(self) -> int:
        return self._past_stars(1)

    def after(self, reached: int, char: str) -> int:
        """The places that one more character leads to from these."""
        is_slash = char == "/"
        one = self.literals.get(char, 0) | (0 if is_slash else self.question)
        many = self.double_star | (0 if is_slash else self.star)
        return self._past_stars((reached & one) << 1 | reached & many)

    def _past_stars(self, reached: int) -> int:
        while (more := reached | (reached & (self.star | self.double_star)) << 1) != reached:
            reached = more
        return reached


def _automaton(pattern: str) -> _Automaton:
    parts = re.findall(r"\*\*|.", pattern, re.DOTALL)
    places: dict[str, int] = {}
    for place, part in enumerate(parts):
        places[part] = places.get(part, 0) | 1 << place
    question, star, double_star = (places.pop(wildcard, 0) for wildcard in ("?", "*", "**"))
    return _Automaton(places, question, star, double_star, 1 << len(parts))
