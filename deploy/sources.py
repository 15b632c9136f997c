"""The tag of the image: a hash over its base, its extras, and all files that `gcloud builds submit` uploads."""

import hashlib
from pathlib import Path

NAMED = ("Dockerfile", ".dockerignore", "requirements.lock", "pipeline.toml")
FOLDERS = ("shared", "functions", "extras")


def sources() -> list[Path]:
    """The files that .gcloudignore admits, relative to the project's root, which is the current folder."""
    found = [path for folder in FOLDERS for path in Path(folder).rglob("*") if path.is_file()]
    return sorted([*map(Path, NAMED), *(path for path in found if path.suffix != ".pyc" and "__pycache__" not in path.parts)])


def tag(extras: str, base: str) -> str:
    """16 hexadecimal digits. The order of the extras does not matter."""
    total = hashlib.sha256(f"{base}\0{','.join(sorted(set(extras.split(','))))}\0".encode())
    for path in sources():
        total.update(f"{path.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:16]
