"""pipeline.toml, checked by the functions' own code before anything starts."""

import os
from pathlib import Path

from localcloud.errors import CannotRun
from shared import routes
from shared.errors import BadConfiguration
from shared.routes import Routes

ROOT = Path(__file__).resolve().parent.parent


def path() -> Path:
    """`SLUICE_PIPELINE`, else the project's own pipeline.toml."""
    return Path(os.environ.get("SLUICE_PIPELINE", ROOT / "pipeline.toml"))


def load() -> Routes:
    """The checked pipeline.toml. Raises `CannotRun` for a mistake in the file, or in a processor that it names."""
    try:
        return routes.load(path())
    except BadConfiguration as error:
        raise CannotRun(str(error)) from None
