"""Refusals of requests, in the words of Google's services, and of commands, in words for the user."""

import json
from typing import Any

import grpc

#: canonical status → HTTP code and gRPC code (google/rpc/code.proto)
CANONICAL: dict[str, tuple[int, grpc.StatusCode]] = {
    "INVALID_ARGUMENT": (400, grpc.StatusCode.INVALID_ARGUMENT),
    "FAILED_PRECONDITION": (400, grpc.StatusCode.FAILED_PRECONDITION),
    "OUT_OF_RANGE": (400, grpc.StatusCode.OUT_OF_RANGE),
    "UNAUTHENTICATED": (401, grpc.StatusCode.UNAUTHENTICATED),
    "PERMISSION_DENIED": (403, grpc.StatusCode.PERMISSION_DENIED),
    "NOT_FOUND": (404, grpc.StatusCode.NOT_FOUND),
    "ALREADY_EXISTS": (409, grpc.StatusCode.ALREADY_EXISTS),
    "ABORTED": (409, grpc.StatusCode.ABORTED),
    "RESOURCE_EXHAUSTED": (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
    "CANCELLED": (499, grpc.StatusCode.CANCELLED),
    "INTERNAL": (500, grpc.StatusCode.INTERNAL),
    # Google's code is 501. gcloud retries every 5xx for half a minute, hence a 4xx.
    "UNIMPLEMENTED": (405, grpc.StatusCode.UNIMPLEMENTED),
    "UNAVAILABLE": (503, grpc.StatusCode.UNAVAILABLE),
}


class ApiError(Exception):
    """A refusal in the words of Pub/Sub and Cloud Tasks: `ApiError("NOT_FOUND", "Queue does not exist.")`."""

    def __init__(self, status: str, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or []
        self.http_code, self.grpc_code = CANONICAL[status]

    def to_json(self) -> bytes:
        """The body of a REST answer, as Google's front end writes it."""
        body: dict[str, Any] = {"code": self.http_code, "message": self.message, "status": self.status}
        if self.details:
            body["details"] = self.details
        return json.dumps({"error": body}).encode()


def require(holds: bool, message: str) -> None:
    """Raise `ApiError` (INVALID_ARGUMENT) with that message unless the condition holds."""
    if not holds:
        raise ApiError("INVALID_ARGUMENT", message)


class CannotRun(Exception):
    """A command cannot run; the message says why. `remedy` is the command that helps, without the program's name."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
