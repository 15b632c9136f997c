"""Assets: the operator's own objects under `assets/` in the results bucket, such as a watermark.

An asset's name is part of the recipe, its bytes are not. The first use of a recipe notes their checksum, create-only, at
`recipes/<recipe_id>/<asset>`. Other bytes are refused later: outputs made with the old and the new ones would share a recipe.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shared import processors
from shared.cloud.protocols import AlreadyExists, Bucket, Cloud, NoSuchObject, Stored
from shared.errors import BadFile, Unavailable
from shared.model import Recipe, canonical

if TYPE_CHECKING:
    from shared.sandbox.room import Share

MAX_BYTES = 8 << 20


def fetch(recipe: Recipe, folder: Path, cloud: Cloud, memory: "Share") -> Mapping[str, Path]:
    """Download the assets that the recipe needs into the folder of a delivery; their paths by name.

    Raises `BadFile` with the reason `no_asset`, `bad_asset` or `asset_changed`, and `Unavailable`.
    """
    from shared.sandbox.service import checked  # only the processor loads the sandbox

    options = checked(recipe).options
    needed = processors.find(recipe.processor).needed(options)
    # No name of a step begins with a digit.
    paths = {name: folder / f"{number}-{recipe.recipe_id}" for number, name in enumerate(needed)}
    for name, path in paths.items():
        _download(name, recipe, path, cloud, memory)
    return paths


def _download(name: str, recipe: Recipe, path: Path, cloud: Cloud, memory: "Share") -> None:
    stored = cloud.results.find(name)
    if stored is None:
        remedy = "upload it there, then run the file again"
        raise BadFile(f"the object {name} is missing in the bucket {cloud.results.name}; {remedy}", "no_asset")
    if stored.size > MAX_BYTES:
        remedy = "upload a smaller one under another name"
        raise BadFile(f"the object {name} has {stored.size:,} bytes; the limit is {MAX_BYTES:,}: {remedy}", "bad_asset")
    _check_unchanged(stored, recipe, cloud.results)
    memory.grow(stored.size)
    try:
        encoding = cloud.results.download(name, stored.generation, stored.size, path)
    except NoSuchObject:
        raise Unavailable(f"the object {name} was replaced while it was read; retry") from None
    if encoding not in ("", "identity"):
        raise BadFile(f"the Content-Encoding of {name} is {encoding}; upload it without one under another name", "bad_asset")


def _check_unchanged(stored: Stored, recipe: Recipe, results: Bucket) -> None:
    note = f"recipes/{recipe.recipe_id}/{stored.name}"
    found = results.read(note)
    if found is None:
        try:
            results.create(note, "application/json", canonical({"crc32c": stored.crc32c, "generation": str(stored.generation)}))
        except AlreadyExists:
            found = results.read(note)
        else:
            return
    if found is None:
        raise Unavailable(f"the object {note} exists but cannot be read; retry")
    if json.loads(found)["crc32c"] != stored.crc32c:
        remedy = "upload the new one under another name, write that into pipeline.toml, and restore the old one for older files"
        raise BadFile(f"the object {stored.name} changed after {recipe.recipe_id} was first used; {remedy}", "asset_changed")
