"""Text that grows in pieces: lines, and cells of tables. White space at the ends of lines and pages is left out."""

from shared.processors.documents.words import plain


class Lines:
    """Breaks and tabs wait until text follows them: none begins or ends a page, and none ends a row."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._begun = False
        self._breaks = 0
        self._tabs = 0

    def add(self, text: str) -> None:
        """Append a piece of text."""
        if not text:
            return
        self._parts += ["\n" * self._breaks if self._begun else "", "\t" * self._tabs, text]
        self._begun, self._breaks, self._tabs = True, 0, 0

    def end_cell(self, count: int = 1) -> None:
        """A tab before whatever follows in this row, or several of them."""
        self._tabs += count

    def end_line(self) -> None:
        """At most one empty line stays between two lines with text."""
        self._breaks, self._tabs = min(self._breaks + 1, 2), 0

    def end_block(self) -> None:
        """A new line, if none has begun."""
        self._breaks, self._tabs = self._breaks or 1, 0

    def end_page(self) -> None:
        """The next text is the first of its page."""
        self._begun, self._breaks, self._tabs = False, 0, 0

    def taken(self) -> str:
        """The text since the last call."""
        text = plain("".join(self._parts))
        self._parts.clear()
        return text
