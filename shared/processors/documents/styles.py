"""The formats of numbers in a workbook: which cells are dates."""

from collections.abc import Mapping

from shared.processors.documents.package import Package

#: Longest pattern that Excel accepts.
MAX_PATTERN = 255
#: Formats that every workbook has without listing them (ECMA-376-1 §18.8.30): dates and times only.
_BUILT_IN = {
    **dict.fromkeys([14, 15, 16, 17, *range(27, 32), 34, 35, 36, *range(50, 59)], "yyyy-mm-dd"),
    **dict.fromkeys([18, 19, 20, 21, 32, 33, 45, 47], "h:mm:ss"),
    22: "yyyy-mm-dd h:mm",
}


class Styles:
    """The format of each style, by the number that cells have in `s`."""

    def __init__(self, package: Package, main: str, parts: list[str]) -> None:
        """Raises `BadFile`."""
        self.is_1904 = False
        self._patterns: dict[str, str] = {}
        self._styles: list[str] = []
        self._in_cells = False
        for part in (main, *parts):
            package.parse(part, self)

    def pattern(self, style: str) -> str:
        """The pattern of a date or another number; empty where a style has none."""
        number = int(style) if style.isascii() and style.isdecimal() and len(style) < 10 else 0
        name = self._styles[number] if number < len(self._styles) else ""
        return self._patterns.get(name) or _BUILT_IN.get(int(name) if name.isdecimal() and len(name) < 10 else 0, "")

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """See `Handler`."""
        if tag == "workbookPr":
            self.is_1904 = found.get("date1904") in ("1", "true", "on")
        elif tag == "numFmt":
            self._patterns[found.get("numFmtId", "")] = found.get("formatCode", "")[:MAX_PATTERN]
        elif tag == "cellXfs":
            self._in_cells = True
        elif tag == "xf" and self._in_cells:
            self._styles.append(found.get("numFmtId", ""))

    def end(self, tag: str) -> None:
        """See `Handler`."""
        if tag == "cellXfs":
            self._in_cells = False

    def text(self, characters: str) -> None:
        """See `Handler`."""
