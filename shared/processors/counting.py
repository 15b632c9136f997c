"""Lines, words and characters of a text that comes in pieces."""

from dataclasses import dataclass


@dataclass
class Counted:
    """The numbers so far. A word is what white space surrounds."""

    words: int = 0
    characters: int = 0
    longest: int = 0
    _ends: int = 0
    _line: int = 0
    _in_word: bool = False

    def add(self, text: str) -> None:
        """Count a piece; it may begin and end anywhere."""
        if not text:
            return
        first, *others = text.split("\n")
        self.longest = max(self.longest, self._line + len(first), *map(len, others))
        self._line = len(others[-1]) if others else self._line + len(first)
        self._ends += len(others)
        self.words += len(text.split()) - (self._in_word and not text[0].isspace())
        self._in_word = not text[-1].isspace()
        self.characters += len(text)

    @property
    def lines(self) -> int:
        """A last line without its end counts too."""
        return self._ends + (self._line > 0)
