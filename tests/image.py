"""The image of the Dockerfile, built without Docker.

The COPY lines are run in an empty folder, beside a virtual environment of exactly the packages in requirements.txt. These are
copied from the environment of the tests: no network, and a second instead of a minute.
"""

import importlib.metadata
import os
import re
import shlex
import shutil
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from shared.settings import ROOT


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its root folder, environment variables, working folder and command."""

    root: Path
    variables: Mapping[str, str]
    folder: Path
    command: list[str]

    def environment(self, service: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container's process: the variables of the image and of the service, and none of ours."""
        own = {name: str(self.root) + value if value.startswith("/") else value for name, value in self.variables.items()}
        return {"PATH": f"{self.root / 'venv' / 'bin'}:/usr/bin:/bin", "HOME": "/tmp", **own, **service}

    def files(self) -> set[str]:
        """Everything in the working folder, as relative paths."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}


def build(root: Path) -> Image:
    """Run the Dockerfile's instructions in an empty folder. Raises `ValueError` for an unsupported instruction."""
    variables: dict[str, str] = {}
    folder, command = root, []
    for word, rest in instructions(ROOT / "Dockerfile"):
        match word:
            case "ENV":
                variables |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "WORKDIR":
                folder = root / rest.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, target = rest.split()
                _copy(sources, folder / target)
            case "CMD":
                command = [str(part) for part in re.findall(r'"([^"]+)"', rest)]
            case "FROM" | "ARG" | "RUN" | "USER":
                pass
            case _:
                raise ValueError(f"the Dockerfile has {word}, which tests/image.py does not support")
    _install(root / "venv")
    command[0] = str(root / "venv" / "bin" / command[0])
    return Image(root, variables, folder, command)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction and the rest of its line; continued lines are joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


def context() -> Iterator[Path]:
    """The files of the Docker build context: those that .dockerignore does not exclude."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", ".venv", ".venv-gsutil", ".local")]
        for name in names:
            path = (Path(folder) / name).relative_to(ROOT)
            if _let_through(path, rules):
                yield path


def requirements() -> dict[str, str]:
    """Versions by normalised name, of the packages that this machine needs."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    needed = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {normalised(pin.name): str(pin.specifier).removeprefix("==") for pin in needed}


def normalised(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _let_through(path: Path, rules: list[str]) -> bool:
    """Docker: the last rule that matches the file or a folder above it decides."""
    names = [str(parent) for parent in (path, *path.parents)][:-1]
    decided = True
    for rule in rules:
        pattern = rule.lstrip("!").removeprefix("**/")
        anywhere = rule.lstrip("!").startswith("**/")
        candidates = (
            [PurePosixPath(name).name for name in names]
            if anywhere
            else [n for n in names if n.count("/") == pattern.count("/")]
        )
        if any(fnmatchcase(name, pattern) for name in candidates):
            decided = rule.startswith("!")
    return decided


def _copy(sources: list[str], target: Path) -> None:
    for source in sources:
        found = [path for path in context() if path == Path(source) or Path(source) in path.parents]
        if not found:
            raise ValueError(f"COPY {source}: no such file in the build context")
        for path in found:
            inside = path.relative_to(source) if (ROOT / source).is_dir() else Path(path.name)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target / inside)


def _install(folder: Path) -> None:
    venv.create(folder, with_pip=False, symlinks=True)
    ours = Path(sys.prefix)
    for name, version in requirements().items():
        distribution = importlib.metadata.distribution(name)
        if distribution.version != version:
            raise ValueError(f"{name} {distribution.version} is installed, requirements.txt has {version}: run make setup")
        for file in distribution.files or ():
            _copy_installed(Path(str(distribution.locate_file(file))).resolve(), ours.resolve(), folder)


def _copy_installed(path: Path, ours: Path, folder: Path) -> None:
    if not path.is_relative_to(ours) or not path.is_file():
        return
    target = folder / path.relative_to(ours)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent.name == "bin":
        script = path.read_bytes().replace(str(ours / "bin").encode(), str(folder / "bin").encode(), 1)
        target.write_bytes(script)
        target.chmod(0o755)
    else:
        os.link(path, target) if path.stat().st_dev == folder.stat().st_dev else shutil.copy2(path, target)
