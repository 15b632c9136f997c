"""The processors and how one is found. A processor is a function from a file on disk to outputs on disk.

To add one: write a function under `@processor(...)` in a module here, and add the module's name to `MODULES`.
"""

from importlib import import_module

from shared.errors import BadConfiguration
from shared.processors.registry import Draft, Processor, processor, registered

__all__ = ["MODULES", "Draft", "Processor", "find", "processor"]

#: prefix of a processor's name → the module under shared.processors that registers it
MODULES = ("any", "image")


def find(name: str) -> Processor:
    """The processor of this name, its module imported when first asked for. Raises `BadConfiguration` naming those there are."""
    kind = name.partition(".")[0]
    if kind in MODULES:
        import_module(f"shared.processors.{kind}")
    if name not in registered:
        for module in MODULES:
            import_module(f"shared.processors.{module}")
        raise BadConfiguration(f"processor: {name!r} is unknown; there is {', '.join(sorted(registered))}")
    return registered[name]
