"""The files of an upload request: read as a stream, admitted or refused by their beginning, never held whole.

```
a request ─▶ requests: blocks ─▶ digests: compare ─▶ codings: unpack ─┬──────────────────────────────────────────▶ Incoming
                                                                      └▶ forms ─▶ digests ─▶ codings, of a part ─▶ Incoming
conditions   headers that ask for what an upload is not          names    the file's name in a part's Content-Disposition
stream       ChecksummedStream: what the bucket reads            admission   the content type, and whether a route takes it
```
"""

from shared.intake.admission import admit
from shared.intake.forms import MAX_PARTS
from shared.intake.requests import read
from shared.intake.stream import ChecksummedStream, Incoming

__all__ = ("MAX_PARTS", "ChecksummedStream", "Incoming", "admit", "read")
