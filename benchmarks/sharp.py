"""sharp, the usual library of Node.js for renditions: installed by npm into a folder of its own."""

import shutil
import subprocess
from pathlib import Path

VERSION = "0.35.5"
FOLDER = Path(__file__).resolve().parent.parent / ".sharp"
PROGRAM = Path(__file__).with_name("sharp.mjs")
INSTALL_SECONDS = 300
_INSTALL = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", f"sharp@{VERSION}")


class NoSharp(Exception):
    """sharp cannot be used on this machine; the message says why."""


def command() -> list[str]:
    """The command of the process that makes renditions with sharp, installed on first use. Raises `NoSharp`."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise NoSharp("node or npm is not installed; install Node.js 20.9 or newer")
    if not (FOLDER / "node_modules" / "sharp").is_dir():
        _install()
    if not _works("node", "-e", "require('sharp')"):
        raise NoSharp(
            f"node cannot load it from {FOLDER.name}/; install Node.js 20.9 or newer, delete the folder, and try again"
        )
    return ["node", str(PROGRAM), str(FOLDER)]


def _install() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "package.json").write_text("{}\n")  # without it, npm installs into the nearest folder above that has one
    if not _works(*_INSTALL):
        shutil.rmtree(FOLDER)
        raise NoSharp(f"`{' '.join(_INSTALL)}` failed; run it in an empty folder to see why")


def _works(*command: str) -> bool:
    try:
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return False
    return True
