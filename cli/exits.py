"""Exit codes, and the one sentence for each failure."""

import enum
import re
from collections.abc import Iterable

import click

from shared import errors
from shared.errors import BadConfiguration, BadRequest, Forbidden, NotFound, PipelineError, Transient, Unauthorized


class Code(enum.IntEnum):
    """The exit codes of `./sluice`."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


HELP = "\b\nExit codes: 0 done · 1 some did not succeed · 2 usage · 3 not found · 4 denied or unreachable · 130 interrupted"
#: Exceptions of Google's clients that mean a missing right, or credentials that are not valid, whatever the client.
_DENIED = ("Forbidden", "PermissionDenied")
_NOT_LOGGED_IN = ("Unauthorized", "Unauthenticated", "DefaultCredentialsError", "RefreshError", "ReauthFailError")
_RIGHT = re.compile(r"\b(?:storage|cloudtasks|pubsub|iam)\.[a-zA-Z]+\.[a-zA-Z]+\b")
_LOG_IN = "log in: gcloud auth application-default login"
_CODES: tuple[tuple[tuple[type[PipelineError], ...], Code], ...] = (
    ((NotFound,), Code.NOT_FOUND),
    ((Transient, Unauthorized, Forbidden), Code.UNREACHABLE),
    ((BadRequest, BadConfiguration), Code.USAGE),
)


def of(error: Exception, command: str = "./sluice") -> tuple[Code, str]:
    """The exit code and the sentence of a failure of this command."""
    if isinstance(error, click.ClickException):
        return Code.USAGE, f"{error.format_message().rstrip('.')}; see {command} --help"
    if isinstance(error, PipelineError):
        code = next((code for kinds, code in _CODES if isinstance(error, kinds)), Code.SOME_FAILED)
        return code, _with_remedy(error)
    if type(error).__module__.startswith("google.auth"):
        return Code.UNREACHABLE, f"no valid credentials are found; {_LOG_IN}"
    return Code.SOME_FAILED, f"unexpected failure: {errors.summary(error)}; ./sluice --debug prints where"


def _with_remedy(error: PipelineError) -> str:
    if isinstance(error, BadConfiguration) and error.message.startswith("set "):
        remedy = 'or run: eval "$(./deploy.sh env --project ID)", locally eval "$(python -m local env)"'
        return f"{error.message}; {remedy}"
    cause, service = type(error.__cause__).__name__, error.message.removesuffix("; retry")
    if cause in _NOT_LOGGED_IN:
        return f"{service}: no valid credentials; {_LOG_IN}"
    if cause in _DENIED:
        right = _RIGHT.search(str(error.__cause__))
        lacks = f"you lack the right {right[0]}" if right else "you lack a right"
        return f"{service}: {lacks}; ask the owner of the project to make you an operator: deploy.sh up --operators"
    return error.message


def worst(codes: Iterable[Code]) -> Code:
    """The exit code of a command for several things: the only one, or `SOME_FAILED`."""
    found = set(codes) or {Code.DONE}
    return found.pop() if len(found) == 1 else Code.SOME_FAILED
