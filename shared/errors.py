"""Every failure we foresee, sorted by the one question that matters: can a retry help?

PipelineError
├── Permanent              no: answer and stop
│   ├── BadRequest         400  the request is malformed, or asks for what is not allowed
│   ├── Unauthorized       401  the token is missing or not valid
│   ├── Forbidden          403  the token is valid, but its account may not do this
│   ├── NotFound           404
│   ├── MethodNotAllowed   405
│   ├── Conflict           409  the name is in use
│   ├── Vanished           410  this generation no longer exists: the verdict is `gone` or `superseded`
│   ├── PreconditionFailed 412  a condition of the request does not hold
│   ├── TooLarge           413
│   ├── UnsupportedType    415  no route takes this content type
│   ├── UnsupportedCoding  415  the body has a content coding that is not unpacked
│   ├── BadFile            422  the file is at fault: the verdict is `failed`, its reason is this error's code
│   └── BadConfiguration   500  a setting or pipeline.toml is wrong: the service does not start
├── Transient              yes: the queue delivers again
│   ├── Unavailable        503
│   ├── BodyCutShort       400  the body of a request ends early
│   └── BodyTooSlow        408  the body of a request comes too slowly
└── ProcessorFailed        500  perhaps: a processor's fault; the queue delivers again until its attempts are used up

Each message is written for the person who can mend the failure: the fault, its place, and the remedy.
"""

from typing import Any, ClassVar, Literal

#: Longest text of an exception that is kept for operators.
MAX_SUMMARY_CHARACTERS = 500


class PipelineError(Exception):
    """A foreseen failure. `code` is for machines, `message` for people; `details` are added to a JSON answer."""

    status: ClassVar[int] = 500
    code: str = "internal"

    def __init__(self, message: str, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class Permanent(PipelineError):
    """A retry cannot help."""


class BadRequest(Permanent):
    """The request is malformed, or asks for what is not allowed."""

    status = 400
    code = "bad_request"


class Unauthorized(Permanent):
    """The token is missing or not valid."""

    status = 401
    code = "unauthorized"


class Forbidden(Permanent):
    """The token is valid, but its account may not do this."""

    status = 403
    code = "forbidden"


class NotFound(Permanent):
    """The path, object, file or job does not exist."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Permanent):
    """The path exists, but not with this method. `allowed` are the methods it takes."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class Conflict(Permanent):
    """The name is in use."""

    status = 409
    code = "conflict"


class Vanished(Permanent):
    """This generation of the file no longer exists. `code` is the verdict: `gone` or `superseded`."""

    status = 410
    code = "gone"

    @property
    def verdict(self) -> Literal["gone", "superseded"]:
        return "superseded" if self.code == "superseded" else "gone"


class PreconditionFailed(Permanent):
    """A condition of the request does not hold."""

    status = 412
    code = "precondition_failed"


class TooLarge(Permanent):
    """The body or the file has more bytes than the limit."""

    status = 413
    code = "too_large"


class UnsupportedType(Permanent):
    """No route takes this content type."""

    status = 415
    code = "unsupported_type"


class UnsupportedCoding(Permanent):
    """The body has a content coding that is not unpacked. `accepted` are those that are."""

    status = 415
    code = "unsupported_encoding"

    def __init__(self, message: str, *, accepted: str) -> None:
        super().__init__(message)
        self.accepted = accepted


class BadFile(Permanent):
    """The file cannot be processed, and no retry changes that."""

    status = 422
    code = "bad_file"


class BadConfiguration(Permanent):
    """A setting or pipeline.toml is wrong; the service does not start."""

    code = "bad_configuration"


class Transient(PipelineError):
    """A retry may help."""

    status = 503
    code = "unavailable"


class Unavailable(Transient):
    """A service that we depend on does not answer, or asks us to retry later."""


class BodyCutShort(Transient):
    """The body of a request ends early, or its chunks are malformed."""

    status = 400
    code = "body_cut_short"


class BodyTooSlow(Transient):
    """The body of a request comes too slowly, or not at all."""

    status = 408
    code = "body_too_slow"


class ProcessorFailed(PipelineError):
    """A processor raised an unforeseen exception, or its sandbox failed. `stack_trace` is the child's."""

    code = "processor_failed"

    def __init__(self, message: str, stack_trace: str = "") -> None:
        super().__init__(message)
        if stack_trace:
            self.add_note(stack_trace)


def summary(error: BaseException) -> str:
    """One line about any exception, for operators: our own message, else the type and the first line of the text."""
    if isinstance(error, PipelineError):
        return error.message[:MAX_SUMMARY_CHARACTERS]
    try:
        first_line = str(error).strip().partition("\n")[0]
    except Exception:  # a processor may raise an exception whose own code is wrong
        first_line = ""
    return f"{type(error).__name__}: {first_line}"[:MAX_SUMMARY_CHARACTERS]
