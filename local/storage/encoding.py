"""gzip on the way in and out, as streams (https://cloud.google.com/storage/docs/transcoding)."""

import zlib
from collections.abc import AsyncIterator

from local.storage.errors import invalid

#: How much one step may produce: a few compressed bytes can stand for gigabytes.
STEP_BYTES = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


async def gunzip(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The decompressed bytes of all members; 400 when the data is not gzip or ends too early."""
    decoder = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        data = chunk
        while data:
            if decoder.eof:
                decoder = zlib.decompressobj(_GZIP)
            try:
                plain = decoder.decompress(data, STEP_BYTES)
            except zlib.error:
                raise invalid("The body is not valid gzip, as its Content-Encoding says.") from None
            if plain:
                yield plain
            data = decoder.unconsumed_tail or decoder.unused_data
    if not decoder.eof:
        raise invalid("The gzip body ends too early.")
