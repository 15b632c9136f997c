"""Every file of docs/contracts/, by its name."""

import json
from collections.abc import Mapping
from pathlib import Path

from shared.contracts import notices, status, topic, uploads
from shared.model import Json
from shared.settings import ROOT

FOLDER = ROOT / "docs" / "contracts"


def documents() -> Mapping[str, Json]:
    """The generated files: name → content."""
    schemas = {f"{name}.schema.json": notices.document(kind) for kind, (name, _) in notices.KINDS.items()}
    doors = {"upload": uploads.upload(), "issuer": uploads.issuer(), "status": status.status()}
    described = {f"{service}.openapi.json": document for service, document in doors.items()}
    return schemas | described | {"notices.asyncapi.json": topic.document()}


def written(content: Json) -> str:
    """The text of a file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every file into this folder."""
    folder.mkdir(exist_ok=True)
    for name, content in documents().items():
        (folder / name).write_text(written(content))
