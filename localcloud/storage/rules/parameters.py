"""What may be asked of the JSON API in a query or a header and would have no effect here: refused by name. Pure."""

from collections.abc import Mapping

from localcloud.storage.errors import no_acls, unsupported

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
    "filter": {""},
}
_KEYS = ("x-goog-encryption-", "x-goog-copy-source-encryption-")
_ONLY_AN_ACL = {"acl", "name", "generation", "metageneration"}


def check_parameters(query: Mapping[str, str]) -> None:
    """400 naming a parameter that is not supported with this value."""
    for key in _ALLOWED.keys() & query.keys():
        value = query[key]
        if value not in _ALLOWED[key] and value.lower() not in _ALLOWED[key]:
            raise unsupported(f"{key}={value[:60]}")
    asked = query.get("fields", "").split(",")
    # `gsutil acl ch` begins with this; shown no ACL, it would advise to become the owner. `ls -L` asks for much more.
    if "acl" in asked and _ONLY_AN_ACL.issuperset(asked):
        raise no_acls()


def check_encryption(headers: Mapping[str, str]) -> None:
    """400 for keys of the customer's own: what they should keep from us would be stored as it is."""
    if any(name.startswith(_KEYS) for name in headers):
        raise unsupported(f"customer-supplied encryption keys ({', '.join(f'{prefix}*' for prefix in _KEYS)})")
