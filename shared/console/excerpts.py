"""The beginnings of outputs that are texts, for the page of a file."""

from collections.abc import Iterable, Iterator

from shared import media
from shared.cloud.protocols import Cloud
from shared.console.run_view import Excerpt
from shared.findings import values
from shared.model import Json

#: Read and shown of each text.
MOST_BYTES = 6_000
MAX_TEXTS = 3
#: Such outputs are read on the page; others, such as CSV and JSON, are data.
TYPES = ("text/plain", "text/markdown")


def read(outputs: Iterable[Json], cloud: Cloud) -> Iterator[Excerpt]:
    """The beginning of each text among these outputs, of the first few. An output without bytes has none."""
    texts = [one for one in outputs if media.essence(one["content_type"]) in TYPES and one["size"]]
    for one in texts[:MAX_TEXTS]:
        data = cloud.results.read(one["object"], MOST_BYTES) or b""
        is_whole = len(data) >= one["size"]
        text = data.decode(errors="replace" if is_whole else "ignore")
        yield Excerpt(one["name"], one["address"], values.lines(text), is_whole)
