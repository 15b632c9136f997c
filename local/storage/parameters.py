"""Query parameters of the JSON API that would have no effect here: refused by name, unless they ask for what is so anyway. Pure."""

from collections.abc import Mapping

from local.storage.errors import unsupported

#: On this machine whoever reaches the port may do everything; these promise no stranger anything.
_OWN_PEOPLE = {"", "private", "projectPrivate", "bucketOwnerRead", "bucketOwnerFullControl"}
_FALSE = {"", "false"}
_ALLOWED: dict[str, set[str]] = {
    "predefinedAcl": _OWN_PEOPLE,
    "destinationPredefinedAcl": _OWN_PEOPLE,
    "predefinedDefaultObjectAcl": _OWN_PEOPLE,
    "kmsKeyName": {""},
    "destinationKmsKeyName": {""},
    "enableObjectRetention": _FALSE,
    "overrideUnlockedRetention": _FALSE,
    "softDeleted": _FALSE,
    "restoreToken": {""},
}


def check_parameters(query: Mapping[str, str]) -> None:
    """400 naming a parameter that is not supported with this value."""
    for key in _ALLOWED.keys() & query.keys():
        value = query[key]
        if value not in _ALLOWED[key] and value.lower() not in _ALLOWED[key]:
            raise unsupported(f"{key}={value[:60]}")
