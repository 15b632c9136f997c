"""Parameters and headers that would have no effect here: each is refused by name instead of ignored. Pure."""

from collections.abc import Mapping, Set

from localcloud.storage.errors import StorageError, no_acls, unsupported

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
    "deleteSourceObjects": _FALSE,
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
_OF_A_LIST = {"prefix", "delimiter", "marker", "max-keys", "encoding-type"}
#: Subresource of a bucket → parameters of a read; "" is the bucket itself. The list of uploads has no parts and no pages here.
_OF_SUBRESOURCES: dict[str, set[str]] = {
    "uploads": set(),
    "location": set(),
    "versions": _OF_A_LIST | {"generation-marker"},
    "": _OF_A_LIST | {"list-type", "continuation-token", "start-after", "fetch-owner"},
}
_ALLOWED_IN_LISTS = {"list-type": "2", "encoding-type": "url", "fetch-owner": "false"}
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
_EXTENSIONS = ("x-goog-", "x-amz-")
_HEADER_FAMILIES = ("x-goog-meta-", "x-goog-custom-audit-")
#: Headers that change the meaning of a request, and are refused although they are signed.
_MEANINGFUL_HEADERS = (
    *("x-goog-acl", "x-goog-copy-source", "x-goog-metadata-directive", "x-goog-encryption-", "x-goog-object-lock-"),
    *("x-goog-if-", "x-goog-bypass-governance-retention", "x-goog-default-object-acl", "x-amz-"),
)
#: Fields of a form besides custom metadata; its other fields are not of these families.
_FORM_FIELDS = {
    *("x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-signature", "x-goog-hash", "x-goog-storage-class"),
    *("x-goog-custom-time", "x-goog-if-generation-match", "x-goog-if-metageneration-match"),
}
COPY_SOURCE, METADATA_DIRECTIVE = "x-goog-copy-source", "x-goog-metadata-directive"
_CONDITIONS_OF_A_COPY = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_COPY_HEADERS = {
    *(COPY_SOURCE, METADATA_DIRECTIVE, "x-amz-copy-source", "x-amz-metadata-directive", f"{COPY_SOURCE}-generation"),
    *(f"{COPY_SOURCE}-if-generation-match", f"{COPY_SOURCE}-if-metageneration-match"),
    *(f"{prefix}-copy-source-{name}" for prefix in ("x-goog", "x-amz") for name in _CONDITIONS_OF_A_COPY),
}
_REASONS = {
    "x-goog-acl": "ACLs",
    "x-goog-copy-source": "copies of a part, or by another method than PUT",
    "x-amz-copy-source": "copies of a part, or by another method than PUT",
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


def check_form_fields(fields: Mapping[str, str]) -> None:
    """400 naming a field of an upload form that would have no effect."""
    if fields.get("acl", "private") not in ("", "private"):
        raise no_acls()
    for name in fields:
        if name.startswith(_EXTENSIONS) and name not in _FORM_FIELDS and not name.startswith("x-goog-meta-"):
            raise unsupported(f"the field {name[:80]} in a form")


def check_bucket_request(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 naming a parameter or header that is unsupported in an XML API request to a bucket."""
    subresource = next((key for key in _OF_SUBRESOURCES if key in query), "")
    _check(query, _OF_SUBRESOURCES[subresource] | {subresource} if method in ("GET", "HEAD") else set(), headers)
    for key, value in _ALLOWED_IN_LISTS.items():
        if query.get(key, value) != value:
            raise _unsupported_query(f"{key} other than {value}")


def check_object_request(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 naming a parameter or header that is unsupported in an XML API request to an object or a multipart upload."""
    of_upload = {"uploadId", "partNumber"} if "uploadId" in query else set()
    known = of_upload or _OF_OBJECTS.get(method, set())
    # Like Google, ignore meaningless parameters of a download: web pages request `app.js?v=3`.
    ignored = query.keys() - _MEANINGFUL if method in ("GET", "HEAD") else set()
    is_copied = method == "PUT" and is_copy(headers) and not of_upload
    _check(query, known | ignored, headers, _COPY_HEADERS if is_copied else set())


def is_copy(headers: Mapping[str, str]) -> bool:
    """Whether an upload names an object to copy instead of bringing bytes."""
    return COPY_SOURCE in headers or "x-amz-copy-source" in headers


def _check(query: Mapping[str, str], known: set[str], headers: Mapping[str, str], more: Set[str] = frozenset()) -> None:
    for key in query:
        if key not in known and key.lower() not in _ANYWHERE:
            raise _unsupported_query(key)
    # Google ignores headers without a meaning. Here they are refused unless they are signed: one may be misspelt.
    signed = {name for key, value in query.items() if key.lower() == "x-goog-signedheaders" for name in value.split(";")}
    harmless = {name for name in signed if not name.startswith(_MEANINGFUL_HEADERS)} | _HEADERS | more
    for name in headers:
        if name.startswith(_EXTENSIONS) and name not in harmless and not name.startswith(_HEADER_FAMILIES):
            reason = _REASONS.get(name)
            raise unsupported(f"{name[:80]}: {reason}" if reason else f"the header {name[:80]} in the XML API")


def _unsupported_query(key: str) -> StorageError:
    return unsupported(f"?{key[:80]} of the XML API")
