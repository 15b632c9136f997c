"""Archives: their members, within bounds. Nothing is unpacked under a path that an archive states.

opening    the kind of an archive by its bytes; the reader of that kind
readers    zips (zip) · tars (tar; gzip, bzip2, xz)
parts      member (a member; the form of readers; refusals) · bounds (caps on all of it) · listing (facts) · unpacking (files)
"""

from shared.processors.archives.bounds import Bounds
from shared.processors.archives.listing import listing
from shared.processors.archives.opening import opened
from shared.processors.archives.unpacking import batch

__all__ = ["Bounds", "batch", "listing", "opened"]
