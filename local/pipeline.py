"""pipeline.toml, checked by the functions' own code before anything starts."""

import os
import traceback
from collections.abc import Iterable
from pathlib import Path

from localcloud.errors import CannotRun
from shared import routes
from shared.errors import BadConfiguration
from shared.routes import Queue

ROOT = Path(__file__).resolve().parent.parent


def path() -> Path:
    """`SLUICE_PIPELINE`, else the project's own pipeline.toml."""
    return Path(os.environ.get("SLUICE_PIPELINE", ROOT / "pipeline.toml"))


def queues() -> Iterable[Queue]:
    """The queues of pipeline.toml. Raises `CannotRun` for a mistake in the file, or in a processor that it names."""
    try:
        return routes.load(path()).queues.values()
    except BadConfiguration as error:
        raise CannotRun(str(error)) from None
    except Exception as error:  # a processor's module may raise anything while it is imported
        raise CannotRun(f"a processor of {path()} cannot be imported: {_where(error)}") from error


def _where(error: Exception) -> str:
    """`shared/processors/text.py, line 3: NameError: name 'x' is not defined`"""
    file, line = traceback.extract_tb(error.__traceback__)[-1][:2]
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    return f"{os.path.relpath(file, ROOT)}, line {line}: {type(error).__name__}: {error}"
