"""The bare processing: what the processors do to a file, in this process, with nothing around it."""

import tempfile
import time
from pathlib import Path

from local import pipeline
from shared import processors, routes
from shared.model import File


class Bare:
    """The recipes that the shipped pipeline plans for a JPEG, run on the bytes of one."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        file = File("uploads", "photo.jpg", generation=1, size=len(content), content_type="image/jpeg", crc32c="")
        self.plan = routes.load(pipeline.path()).plan(file)
        self.outputs = 0
        self.cpu_ms(1)  # the first file loads the libraries

    def cpu_ms(self, files: int) -> float:
        """CPU milliseconds per file, over so many."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "photo.jpg"
            source.write_bytes(self._content)
            started = time.process_time()
            for _ in range(files):
                self._process(source, Path(folder))
            return (time.process_time() - started) * 1000 / files

    def _process(self, source: Path, folder: Path) -> None:
        recipes = [step.recipe for step in self.plan.steps]
        made = [processors.find(recipe.processor).run(source, folder, recipe.options) for recipe in recipes]
        self.outputs = sum(len(one.drafts) for one in made)
