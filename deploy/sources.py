"""The tag of the image: a hash over every file that `gcloud builds submit` uploads, names and contents."""

import hashlib
from pathlib import Path

NAMED = ("Dockerfile", ".dockerignore", "requirements.txt", "pipeline.toml")
FOLDERS = ("shared", "functions")


def sources() -> list[Path]:
    """What .gcloudignore lets through."""
    found = [path for folder in FOLDERS for path in Path(folder).rglob("*") if path.is_file()]
    return sorted([*map(Path, NAMED), *(path for path in found if path.suffix != ".pyc" and "__pycache__" not in path.parts)])


if __name__ == "__main__":
    total = hashlib.sha256()
    for path in sources():
        total.update(f"{path.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    print(total.hexdigest()[:16])
