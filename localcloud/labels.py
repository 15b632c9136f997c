"""Labels of resources: one rule for all of Google Cloud.

https://cloud.google.com/resource-manager/docs/labels-overview
"""

import re
from collections.abc import Mapping

MAX_LABELS = 64
_TEXT = re.compile(r"[\w-]{0,63}")


def wrong_label(labels: Mapping[str, object]) -> str:
    """The mistake in the labels, for the user; "" for correct labels."""
    if len(labels) > MAX_LABELS:
        return f"There are {len(labels)} labels, and at most {MAX_LABELS} are allowed."
    for key, value in labels.items():
        if not (key[:1].isalpha() and _is_fine(key) and _is_fine(value)):
            rule = "lower-case letters, digits, - and _, 63 at most, and a letter first in a key"
            return f"Invalid label {key[:64]!r}: {str(value)[:64]!r}; allowed are {rule}."
    return ""


def _is_fine(text: object) -> bool:
    return isinstance(text, str) and bool(_TEXT.fullmatch(text)) and text == text.lower()
