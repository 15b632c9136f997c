"""Media types: their syntax, the type that a file's first bytes show, and the type to go by. Pure.

```
declared type ─┐
name ──────────┼─▶ deciding ─▶ the type to go by
first bytes ───┴─▶ sniffing ─▶ the type that they show: signatures, boxes, zips, compound, else texts, tables
```
"""

from shared.media.deciding import decide_type
from shared.media.extensions import by_name
from shared.media.sniffing import HEAD_BYTES, is_svg, sniff
from shared.media.syntax import MAX_CHARACTERS, TEXT, UNKNOWN, essence, is_pattern, is_valid

__all__ = (
    "HEAD_BYTES",
    "MAX_CHARACTERS",
    "TEXT",
    "UNKNOWN",
    "by_name",
    "decide_type",
    "essence",
    "is_pattern",
    "is_svg",
    "is_valid",
    "sniff",
)
