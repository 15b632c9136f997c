"""Every failure we foresee, sorted by the one question that matters: would trying again help?

PipelineError
├── Permanent              no: say so and stop
│   ├── BadRequest         400  what was asked cannot be understood or is not allowed
│   ├── Unauthorized       401  no token, or one that proves nothing
│   ├── Forbidden          403  a good token of somebody who may not do this
│   ├── NotFound           404
│   ├── MethodNotAllowed   405
│   ├── Conflict           409  the name is taken by something else
│   ├── TooLarge           413
│   ├── UnsupportedType    415  no route for this kind of file
│   ├── BadFile            422  the file's fault: the verdict is `failed`, with this error's code as the reason
│   ├── Vanished           410  this generation is not there any more: `gone` or `superseded`
│   └── BadConfiguration   500  a setting or pipeline.toml is wrong: refuse to start
└── Transient              maybe: let the queue deliver again
    └── Unavailable        503

Messages are written for whoever caused the error: what was wrong, where, and what would be right.
"""

from typing import Any, ClassVar


class PipelineError(Exception):
    """`code` is for machines, the message for people; `details` joins them in a JSON answer."""

    status: ClassVar[int] = 500
    code: str = "internal"

    def __init__(self, message: str, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class Permanent(PipelineError):
    """Trying again cannot help."""


class BadRequest(Permanent):
    """The request cannot be understood, or asks for what is not allowed."""

    status = 400
    code = "bad_request"


class Unauthorized(Permanent):
    """There is no token, or it proves nothing."""

    status = 401
    code = "unauthorized"


class Forbidden(Permanent):
    """The token is good, its owner may not do this."""

    status = 403
    code = "forbidden"


class NotFound(Permanent):
    """There is nothing of this name."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Permanent):
    """The path exists, but not with this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class Conflict(Permanent):
    """The name is taken by something else."""

    status = 409
    code = "conflict"


class Vanished(Permanent):
    """This generation of the file is no longer there; `code` is the verdict, `gone` or `superseded`."""

    status = 410
    code = "gone"


class TooLarge(Permanent):
    """More bytes than this door, or this pipeline, takes."""

    status = 413
    code = "too_large"


class UnsupportedType(Permanent):
    """No route takes this kind of file."""

    status = 415
    code = "unsupported_type"


class BadFile(Permanent):
    """The file cannot be processed, however often we try."""

    status = 422
    code = "bad_file"


class BadConfiguration(Permanent):
    """A setting or pipeline.toml is wrong; nothing starts with it."""

    code = "bad_configuration"


class Transient(PipelineError):
    """Trying again may help."""

    status = 503
    code = "unavailable"


class Unavailable(Transient):
    """A service we depend on does not answer, or asks us to come back later."""
