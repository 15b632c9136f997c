"""Media types: their syntax, the type that a file's first bytes show, and the type to go by. Pure.

```
declared type ─┐
name ──────────┼─▶ deciding ─▶ the type to go by
first bytes ───┴─▶ sniffing ─▶ the type that they show: signatures, boxes, zips, compound, else texts, tables
```
"""

import importlib
from typing import TYPE_CHECKING, Any

from shared.media.syntax import MAX_CHARACTERS, TEXT, UNKNOWN, essence, is_pattern, is_valid

if TYPE_CHECKING:
    from shared.media.deciding import decide_type
    from shared.media.extensions import by_name
    from shared.media.sniffing import HEAD_BYTES, is_svg, sniff

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

#: Loaded on first use: most services never see a file's bytes, and start sooner without these tables.
_LATER = {
    "decide_type": "deciding",
    "by_name": "extensions",
    "HEAD_BYTES": "sniffing",
    "is_svg": "sniffing",
    "sniff": "sniffing",
}


def __getattr__(name: str) -> Any:
    """PEP 562."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"shared.media.{_LATER[name]}"), name)
