"""Any function on a cloud in memory, for a server of its own: the uploaded objects are also files in a folder."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import shared.cloud
from shared import routes, settings
from shared.cloud.protocols import NO_METADATA, Stored
from shared.settings import ROOT
from shared.testing import FakeBucket, FakeCloud

FOLDER = Path(os.environ["SERVED_FOLDER"])
TARGET = sys.argv[sys.argv.index("--target") + 1]


class FolderBucket(FakeBucket):
    """A bucket whose objects another process can look at."""

    def put(
        self,
        name: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> Stored:
        (FOLDER / quote(name, safe="")).write_bytes(data)
        return super().put(name, data, content_type, metadata)


_settings = settings.load()
_cloud = FakeCloud(_settings, routes.load(_settings.pipeline))
_cloud.uploads = FolderBucket(_settings.uploads_bucket)
shared.cloud.connect = lambda *_seconds: _cloud  # type: ignore[assignment]

_found = importlib.util.spec_from_file_location("served_main", ROOT / "functions" / TARGET / "main.py")
assert _found
assert _found.loader
_main = importlib.util.module_from_spec(_found)
_found.loader.exec_module(_main)
globals()[TARGET] = getattr(_main, TARGET)
