"""What may be asked of the XML API in a query or a header: what would have no effect here is refused by name. Pure."""

from collections.abc import Mapping

from localcloud.storage.errors import StorageError, unsupported

#: A signed URL may ask for other headers than the object's own.
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
#: https://cloud.google.com/storage/docs/xml-api/reference-headers#query, and what other APIs of object stores ask alike.
_MEANINGFUL = {
    *(
        "acl",
        "billing",
        "compose",
        "cors",
        "defaultObjectAcl",
        "encryption",
        "encryptionConfig",
        "legal-hold",
        "lifecycle",
        "location",
    ),
    *("logging", "notification", "object-lock", "partNumber", "policy", "requestPayment", "restore", "retention", "select"),
    *("storageClass", "tagging", "torrent", "uploads", "versionId", "versioning", "versions", "website"),
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
    # These say who asks, or why, and nothing about what.
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


def check_bucket_request(query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 for what a request for a bucket may not ask."""
    # `uploads` makes another list, and that has neither parts nor pages here.
    _check(query, {"uploads"} if "uploads" in query else _OF_A_LIST, headers)
    if query.get("list-type", "2") != "2":
        raise _unsupported_query("list-type other than 2")


def check_object_request(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """400 for what a request for an object, or for one of its uploads, may not ask."""
    of_upload = {"uploadId", "partNumber"} if "uploadId" in query else set()
    known = of_upload or _OF_OBJECTS.get(method, set())
    # Of a download, Google ignores what means nothing: pages ask for `app.js?v=3`.
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
