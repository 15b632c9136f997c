"""Parameters and headers that would have no effect here: each is refused by name instead of ignored. Pure."""

from collections.abc import Mapping

from localcloud.storage.errors import StorageError, unsupported

#: The largest body without media. It is read into memory; no metadata comes near.
MAX_BODY_BYTES = 4 << 20

# The JSON API.

#: Predefined ACLs without public access: every client may do everything here, so they change nothing.
_PRIVATE_ACLS = {"", "private", "projectPrivate", "bucketOwnerRead", "bucketOwnerFullControl"}
_FALSE = {"", "false"}
_ALLOWED_VALUES: dict[str, set[str]] = {
    "predefinedAcl": _PRIVATE_ACLS,
    "destinationPredefinedAcl": _PRIVATE_ACLS,
    "predefinedDefaultObjectAcl": _PRIVATE_ACLS,
    "kmsKeyName": {""},
    "destinationKmsKeyName": {""},
    "enableObjectRetention": _FALSE,
    "overrideUnlockedRetention": _FALSE,
    "softDeleted": _FALSE,
    "restoreToken": {""},
    "filter": {""},
}
_ENCRYPTION = ("x-goog-encryption-", "x-goog-copy-source-encryption-")

# The XML API.

#: Query parameters of a download that replace a header of the answer.
OVERRIDES = {
    "response-content-type": b"content-type",
    "response-content-disposition": b"content-disposition",
    "response-cache-control": b"cache-control",
    "response-content-encoding": b"content-encoding",
    "response-content-language": b"content-language",
}
_SIGNATURE = {f"x-goog-{part}" for part in ("algorithm", "credential", "date", "expires", "signature", "signedheaders")}
_ANYWHERE = _SIGNATURE | {"userproject", "access_token"}
_OF_A_LIST = {"prefix", "delimiter", "marker", "max-keys", "list-type", "continuation-token", "start-after"}
#: Parameters with a meaning in https://cloud.google.com/storage/docs/xml-api/reference-headers#query or in similar APIs.
_MEANINGFUL = {
    *("acl", "billing", "compose", "cors", "defaultObjectAcl", "encryption", "encryptionConfig", "legal-hold", "lifecycle"),
    *("location", "logging", "notification", "object-lock", "partNumber", "policy", "requestPayment", "restore", "retention"),
    *("select", "storageClass", "tagging", "torrent", "uploads", "versionId", "versioning", "versions", "website"),
    *("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch", "response-expires"),
}
_OF_OBJECTS = {
    "GET": {"generation", *OVERRIDES},
    "HEAD": {"generation", *OVERRIDES},
    "DELETE": {"generation"},
    "POST": {"uploads"},
}
_HEADERS = {
    *("x-goog-hash", "x-goog-storage-class", "x-goog-custom-time", "x-goog-content-length-range", "x-goog-resumable"),
    *("x-goog-if-generation-match", "x-goog-if-metageneration-match", "x-goog-content-sha256", "x-goog-date", "x-amz-date"),
    # Headers about the caller or the reason of a request; they change no result.
    *("x-goog-api-client", "x-goog-api-version", "x-goog-gcs-idempotency-token", "x-goog-project-id"),
    *("x-goog-request-params", "x-goog-request-reason", "x-goog-user-project", "x-amz-user-agent"),
}
_HEADER_FAMILIES = ("x-goog-meta-", "x-goog-custom-audit-")
_REASONS = {
    "x-goog-acl": "ACLs",
    "x-goog-copy-source": "copies over the XML API",
    "x-amz-copy-source": "copies over the XML API",
    "x-goog-metadata-directive": "copies over the XML API",
    "x-goog-encryption-kms-key-name": "KMS keys",
    "x-goog-encryption-algorithm": "customer-supplied encryption keys",
    "x-goog-object-lock-mode": "retention",
}


def check_parameters(query: Mapping[str, str]) -> None:
    """400 naming a JSON API parameter with an unsupported value."""
    for key in _ALLOWED_VALUES.keys() & query.keys():
        value = query[key]
        if value not in _ALLOWED_VALUES[key] and value.lower() not in _ALLOWED_VALUES[key]:
            raise unsupported(f"{key}={value[:60]}")


def check_encryption(headers: Mapping[str, str]) -> None:
    """400 for customer-supplied keys: the object would be stored unencrypted."""
    if any(name.startswith(_ENCRYPTION) for name in headers):
        raise unsupported(f"customer-supplied encryption keys ({', '.join(f'{prefix}*' for prefix in _ENCRYPTION)})")


def check_bucket_request(query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 naming a parameter or header that is unsupported in an XML API request to a bucket."""
    # The list of uploads has no parts and no pages here.
    _check(query, {"uploads"} if "uploads" in query else _OF_A_LIST, headers)
    if query.get("list-type", "2") != "2":
        raise _unsupported_query("list-type other than 2")


def check_object_request(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 naming a parameter or header that is unsupported in an XML API request to an object or a multipart upload."""
    of_upload = {"uploadId", "partNumber"} if "uploadId" in query else set()
    known = of_upload or _OF_OBJECTS.get(method, set())
    # Like Google, ignore meaningless parameters of a download: web pages request `app.js?v=3`.
    ignored = query.keys() - _MEANINGFUL if method in ("GET", "HEAD") else set()
    _check(query, known | ignored, headers)


def _check(query: Mapping[str, str], known: set[str], headers: Mapping[str, str]) -> None:
    for key in query:
        if key not in known and key.lower() not in _ANYWHERE:
            raise _unsupported_query(key)
    for name in headers:
        if name.startswith(("x-goog-", "x-amz-")) and name not in _HEADERS and not name.startswith(_HEADER_FAMILIES):
            reason = _REASONS.get(name)
            raise unsupported(f"{name[:80]}: {reason}" if reason else f"the header {name[:80]} in the XML API")


def _unsupported_query(key: str) -> StorageError:
    return unsupported(f"?{key[:80]} of the XML API")
