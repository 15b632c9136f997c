"""`make lock`: write a lock for each file of requirements, with the hashes of the archives for the image.

The hashes are those of PyPI's own wheels, for the image's Python on x86-64, the one architecture of Cloud Run.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

FILES = ("requirements.txt", *sorted(map(str, Path("extras").glob("*.txt"))))
#: Versions of glibc from that of the image's Debian down, in pip's own order; pip takes no range.
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(36, 16, -1)), "manylinux2014_x86_64")
PYTHON = "3.11"
HEADER = "# Written by `make lock` from {}: PyPI's wheels for Python 3.11 on x86-64. The image installs nothing else."
PYPI = "https://pypi.org/simple"
#: Settings of this computer that would bring archives from elsewhere.
ELSEWHERE = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")


def main() -> None:
    """Write every lock."""
    for name in FILES:
        pins = list(_pins(Path(name)))
        hashes = _hashes(pins)
        lines = [f"{pin} --hash=sha256:{hashes[_normalised(pin.partition('==')[0])]}" for pin in pins]
        Path(name).with_suffix(".lock").write_text("\n".join([HEADER.format(name), *lines, ""]))


def _pins(file: Path) -> Iterator[str]:
    """The lines `name==version` of a file; every condition in it holds on Linux with x86-64."""
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.partition(";")[0]


def _hashes(pins: list[str]) -> dict[str, str]:
    """The hash of the wheel that pip chooses for each pin, by the normalised name. Nothing is installed."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        target = [f"--target={folder}/target", f"--python-version={PYTHON}", *(f"--platform={it}" for it in PLATFORMS)]
        flags = ["--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary=:all:", f"--index-url={PYPI}"]
        command = [sys.executable, "-m", "pip", "install", *flags, *target, f"--report={report}", *pins]
        subprocess.run(command, env={**environment, "PIP_CONFIG_FILE": os.devnull}, check=True)
        found = json.loads(report.read_text())["install"]
    return {_normalised(it["metadata"]["name"]): it["download_info"]["archive_info"]["hashes"]["sha256"] for it in found}


def _normalised(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
