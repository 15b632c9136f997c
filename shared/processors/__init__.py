"""The processors, found by name. A processor is a function from a file on disk to outputs on disk and facts.

To add one, write a function under `@processor(...)` in a module here, and add a new module's name to `MODULES`.
"""

import traceback
from importlib import import_module

from shared.errors import BadConfiguration, summary
from shared.processors.registry import Draft, Made, Processor, processor, registered

__all__ = ["MODULES", "Draft", "Made", "Processor", "find", "names", "processor"]

#: first part of a processor's name → the module in this package that registers it
MODULES = ("any", "archive", "audio", "document", "image", "media", "service", "table", "text")


def find(name: str) -> Processor:
    """The processor of this name; its module is imported on first use.

    Raises `BadConfiguration` for an unknown name, and for a module that cannot be imported.
    """
    kind = name.partition(".")[0]
    if name not in registered and kind in MODULES:
        _import(kind)
    if name not in registered:
        raise BadConfiguration(f"processor: {name!r} is unknown; write one of {', '.join(names())}")
    return registered[name]


def names() -> list[str]:
    """The names of all processors, sorted. Raises `BadConfiguration` for a module that cannot be imported."""
    for module in MODULES:
        _import(module)
    return sorted(registered)


def _import(module: str) -> None:
    try:
        import_module(f"shared.processors.{module}")
    except (Exception, SystemExit) as error:  # a mistake may raise anything; its author needs the place and the reason
        place = _place(error, f"shared/processors/{module}.py")
        raise BadConfiguration(f"processor: cannot import {place}: {summary(error)}") from error


def _place(error: BaseException, path: str) -> str:
    """The file, and the line at which the error arose; a missing file has none."""
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename.endswith(path)]
    if isinstance(error, SyntaxError) and str(error.filename).endswith(path):
        lines.append(error.lineno)
    return f"{path}, line {lines[-1]}" if lines and lines[-1] else path
