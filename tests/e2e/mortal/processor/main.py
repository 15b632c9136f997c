"""The processor, except that it is killed once: when its outputs are stored and its manifest is not."""

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from functions.processor.main import processor
from shared.cloud import GoogleCloud, connect

__all__ = ["processor"]


class _Mortal:
    """The results bucket, deadly to the first who commits a verdict on a picture."""

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket
        self._died = Path(tempfile.gettempdir()) / "died"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bucket, name)

    def create(self, name: str, content_type: str, body: Any) -> Any:
        if name.startswith("jobs/") and "thumbnails" in name and not self._died.exists():
            self._died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._bucket.create(name, content_type, body)


cloud = connect()
assert isinstance(cloud, GoogleCloud)
cloud.results = _Mortal(cloud.results)
