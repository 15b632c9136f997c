"""Refusals in Cloud Storage's words: one reason, as JSON for the JSON API and as XML for the XML API."""

import json
from xml.sax.saxutils import escape

from localcloud.errors import ApiError

#: Fields and collections that hold access control lists.
ACLS = frozenset({"acl", "defaultObjectAcl"})


class StorageError(Exception):
    """A refusal: its HTTP code, JSON `reason`, XML `Code`, and a message for the client."""

    #: The parameter that is to blame; "" where the message says it.
    parameter = ""
    #: Whether the JSON API answers with the message alone.
    is_plain = False

    def __init__(self, code: int, reason: str, message: str, xml_code: str = "InvalidArgument", details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.xml_code = xml_code
        self.details = details or message

    def to_json(self) -> bytes:
        """The body of a JSON API answer (https://cloud.google.com/storage/docs/json_api/v1/status-codes)."""
        cause = {"message": self.message, "domain": "global", "reason": self.reason}
        if self.parameter:
            cause |= {"location": self.parameter, "locationType": "parameter"}
        return json.dumps({"error": {"code": self.code, "message": self.message, "errors": [cause]}}).encode()

    def to_text(self) -> bytes:
        """The body of an answer that is the message alone."""
        return self.message.encode("utf-8", "replace")

    def to_xml(self) -> bytes:
        """The body of an XML API answer (https://cloud.google.com/storage/docs/xml-api/reference-status)."""
        message, details = (escape(_printable(text)) for text in (self.message, self.details))
        return (
            f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{self.xml_code}</Code>"
            f"<Message>{message}</Message><Details>{details}</Details></Error>"
        ).encode()


def storage_error(error: StorageError | ApiError) -> StorageError:
    """The refusal itself, or in Cloud Storage's words one of the code that all services share."""
    if isinstance(error, StorageError):
        return error
    if error.status == "INVALID_ARGUMENT":
        return invalid(error.message)
    if error.status == "RESOURCE_EXHAUSTED":
        # Clients try for minutes after 429 and every 5xx, and gsutil takes a 403 for missing credentials.
        return StorageError(413, "quotaExceeded", error.message, "QuotaExceeded")
    return StorageError(500, "internalError", "Internal error", "InternalError")


def invalid(message: str, xml_code: str = "InvalidArgument") -> StorageError:
    """400: the request is malformed."""
    return StorageError(400, "invalid", message, xml_code)


def invalid_parameter(name: str, message: str) -> StorageError:
    """400: the value of a parameter is impossible."""
    error = StorageError(400, "invalidParameter", message, details=f"{name}: {message}")
    error.parameter = name
    return error


def unsupported(feature: str) -> StorageError:
    """400 naming a feature that the local cloud lacks; a 5xx would make gcloud retry for half a minute."""
    return StorageError(400, "notSupported", f"The local cloud does not support {feature}.", "NotImplemented")


def no_acls() -> StorageError:
    """400 for a request that reads or changes an access control list."""
    return unsupported("ACLs: every bucket has uniform bucket-level access; its IAM policy holds the rights")


def method_not_allowed(method: str, target: str) -> StorageError:
    """405: the resource exists in the API, but not with this method."""
    return StorageError(405, "methodNotAllowed", f"{method[:20]} is not possible on {target}.", "MethodNotAllowed")


def no_bucket(name: str) -> StorageError:
    """404: the bucket is missing."""
    return StorageError(404, "notFound", f"The specified bucket does not exist: {name}", "NoSuchBucket")


def no_object(bucket: str, name: str) -> StorageError:
    """404: the object, or the requested generation of it, is missing."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}", "NoSuchKey")


def no_session() -> StorageError:
    """410: the resumable upload is unknown, expired or cancelled; the client must start again.

    Not 404, which has the same meaning: gcloud deletes its own record of the upload only after 410.
    """
    return StorageError(410, "gone", "Resumable upload not found: it ended or expired. Start a new one.", "NoSuchUpload")


def too_short(size: int, least: int) -> StorageError:
    """400: a request of a resumable upload has too few bytes to be any but the last one."""
    message = (
        f"Invalid request.  The number of bytes uploaded is required to be equal or greater than {least}, except for the final "
        f"request (it's recommended to be the exact multiple of {least}).  The received request contained {size} bytes, "
        "which does not meet this requirement."
    )
    error = invalid(message)
    error.is_plain = True
    return error


def no_upload() -> StorageError:
    """404: the multipart upload is missing, or finished already."""
    return StorageError(404, "notFound", "The requested upload was not found.", "NoSuchUpload")


def condition_failed() -> StorageError:
    """412: the object is not in the state that the request requires."""
    message = "At least one of the pre-conditions you specified did not hold."
    return StorageError(412, "conditionNotMet", message, "PreconditionFailed")


def not_modified() -> StorageError:
    """304: a read whose `NotMatch` condition names the current state."""
    return StorageError(304, "notModified", "Not Modified", "NotModified")


def _printable(text: str) -> str:
    # XML 1.0 cannot represent other control characters, nor a lone surrogate.
    return "".join(c if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff") else "?" for c in text)
