"""gzip as a stream, for compressed request bodies and for downloads that Cloud Storage decompresses."""

import zlib
from collections.abc import AsyncIterator

from localcloud.errors import ApiError

#: Output limit of one step: a few compressed bytes may decompress to gigabytes.
STEP_BYTES = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


async def gunzip(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The decompressed bytes of all members.

    Raises `ApiError` (INVALID_ARGUMENT) for data that is not gzip or ends early.
    """
    decoder = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        data = chunk
        while data:
            if decoder.eof:
                decoder = zlib.decompressobj(_GZIP)
            try:
                plain = decoder.decompress(data, STEP_BYTES)
            except zlib.error:
                raise ApiError("INVALID_ARGUMENT", "The body is not valid gzip, as its Content-Encoding says.") from None
            if plain:
                yield plain
            data = decoder.unconsumed_tail or decoder.unused_data
    if not decoder.eof:
        raise ApiError("INVALID_ARGUMENT", "The gzip body ends too early.")
