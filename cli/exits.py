"""Exit codes, and the one sentence for each failure."""

import enum
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
#: Exceptions of Google's clients that mean a missing right, whatever the client.
_DENIED = ("Forbidden", "Unauthorized", "Unauthenticated", "PermissionDenied")
_CODES: tuple[tuple[tuple[type[PipelineError], ...], Code], ...] = (
    ((NotFound,), Code.NOT_FOUND),
    ((Transient, Unauthorized, Forbidden), Code.UNREACHABLE),
    ((BadRequest, BadConfiguration), Code.USAGE),
)


def of(error: Exception) -> tuple[Code, str]:
    """The exit code and the sentence of a failure."""
    if isinstance(error, click.ClickException):
        return Code.USAGE, _usage(error)
    if isinstance(error, PipelineError):
        code = next((code for kinds, code in _CODES if isinstance(error, kinds)), Code.SOME_FAILED)
        return code, f"{error.message}{_remedy(error)}"
    if type(error).__module__.startswith("google.auth"):
        return Code.UNREACHABLE, "no credentials are found; log in: gcloud auth application-default login"
    return Code.SOME_FAILED, f"unexpected failure: {errors.summary(error)}; ./sluice --debug prints where"


def _remedy(error: PipelineError) -> str:
    if isinstance(error, BadConfiguration) and error.message.startswith("set "):
        return '; or let the shell: eval "$(./deploy.sh env --project ID)", locally eval "$(python -m local env)"'
    if type(error.__cause__).__name__ in _DENIED:
        return "; access was denied: deploy.sh up --operators gives the rights"
    return ""


def _usage(error: click.ClickException) -> str:
    """Without a full stop: the command whose help says more follows."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "./sluice"
    return f"{error.format_message().rstrip('.')}; see {command} --help"


def worst(codes: Iterable[Code]) -> Code:
    """The exit code of a command for several things: the only one, or `SOME_FAILED`."""
    found = set(codes) or {Code.DONE}
    return found.pop() if len(found) == 1 else Code.SOME_FAILED
