"""Locations of buckets (https://cloud.google.com/storage/docs/locations). Pure."""

import re
from typing import Any

from localcloud.storage.errors import invalid
from localcloud.storage.model import Settings

DEFAULT_LOCATION = "US-CENTRAL1"
_LOCATION = re.compile(r"[A-Z][A-Z0-9-]{1,40}")
_MULTI_REGIONS, _DUAL_REGIONS = {"US", "EU", "ASIA"}, {"NAM4", "EUR4", "EUR5", "EUR7", "EUR8", "ASIA1"}


def check_location(value: Any) -> str:
    """The location in capitals; 400 for a malformed one."""
    if not isinstance(value, str) or not _LOCATION.fullmatch(value.upper()):
        raise invalid(f"The specified location constraint is not valid: {str(value)[:40]!r}")
    return value.upper()


def with_location_of(current: Settings, changed: Settings) -> Settings:
    """The changed settings with the bucket's current location; 400 for a different location."""
    location = current.get("location", DEFAULT_LOCATION)
    if changed.get("location", location) != location:
        raise invalid(f"The location of a bucket is fixed when it is created: it is {location}.")
    return changed | {"location": location}


def location_type(location: str) -> str:
    """`region`, `dual-region` or `multi-region`."""
    if location in _MULTI_REGIONS:
        return "multi-region"
    return "dual-region" if location in _DUAL_REGIONS else "region"
