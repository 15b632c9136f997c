"""Refusals in Cloud Storage's words: one reason, rendered as JSON for the JSON API and as XML for the XML API."""

import json
from xml.sax.saxutils import escape

from localcloud.errors import ApiError

#: Fields and collections that hold them.
ACLS = frozenset({"acl", "defaultObjectAcl"})


class StorageError(Exception):
    """A refusal with its HTTP code, its JSON `reason`, its XML `Code` and a message fit for the client."""

    def __init__(self, code: int, reason: str, message: str, xml_code: str = "InvalidArgument", details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.xml_code = xml_code
        self.details = details or message

    def to_json(self) -> bytes:
        """The body as https://cloud.google.com/storage/docs/json_api/v1/status-codes describes it."""
        cause = {"message": self.message, "domain": "global", "reason": self.reason}
        return json.dumps({"error": {"code": self.code, "message": self.message, "errors": [cause]}}).encode()

    def to_xml(self) -> bytes:
        """The body as https://cloud.google.com/storage/docs/xml-api/reference-status describes it."""
        message, details = (escape(_printable(text)) for text in (self.message, self.details))
        return (
            f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{self.xml_code}</Code>"
            f"<Message>{message}</Message><Details>{details}</Details></Error>"
        ).encode()


def from_api(error: ApiError) -> StorageError:
    """What the code that all services share refuses, in Cloud Storage's words."""
    if error.status == "INVALID_ARGUMENT":
        return invalid(error.message)
    return StorageError(500, "internalError", "Internal error", "InternalError")


def invalid(message: str, xml_code: str = "InvalidArgument") -> StorageError:
    """400: the request makes no sense."""
    return StorageError(400, "invalid", message, xml_code)


def unsupported(what: str) -> StorageError:
    """400, naming what the local cloud does not do; a 5xx would make gcloud retry for half a minute."""
    return StorageError(400, "notSupported", f"The local cloud does not support {what}.", "NotImplemented")


def no_acls() -> StorageError:
    """400 for whatever reads or changes an access control list."""
    return unsupported("ACLs: every bucket has uniform bucket-level access, rights are a matter of its IAM policy")


def no_bucket(name: str) -> StorageError:
    """404 for a bucket."""
    return StorageError(404, "notFound", f"The specified bucket does not exist: {name}", "NoSuchBucket")


def no_object(bucket: str, name: str) -> StorageError:
    """404 for an object, or for one of its generations."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}", "NoSuchKey")


def condition_failed() -> StorageError:
    """412: the object is not in the state the request asked for."""
    message = "At least one of the pre-conditions you specified did not hold."
    return StorageError(412, "conditionNotMet", message, "PreconditionFailed")


def not_modified() -> StorageError:
    """304: a read whose `NotMatch` condition names the current state."""
    return StorageError(304, "notModified", "Not Modified", "NotModified")


def _printable(text: str) -> str:
    # XML 1.0 has no way to write other control characters, nor half a surrogate pair.
    return "".join(c if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff") else "?" for c in text)
