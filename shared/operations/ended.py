"""The jobs that have ended, as a sweep remembers them: up to 16 bytes of each."""

import hashlib

#: The first bytes of a digest choose a bucket, the others are kept in it. Of ten million jobs, two have the same 16 bytes
#: with a probability of 10^-25.
CHOOSING, KEPT = 2, 14


class Ended:
    """A set of job ids. It only grows, and never forgets one."""

    def __init__(self) -> None:
        self._buckets = [b""] * 256**CHOOSING
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, job_id: str) -> None:
        """Add a job, which is not in the set."""
        bucket, kept = _split(job_id)
        self._buckets[bucket] += kept
        self._count += 1

    def __contains__(self, job_id: str) -> bool:
        bucket, kept = _split(job_id)
        held, at = self._buckets[bucket], -1
        while (at := held.find(kept, at + 1)) >= 0:
            if at % KEPT == 0:  # else the end of one job and the beginning of the next
                return True
        return False


def _split(job_id: str) -> tuple[int, bytes]:
    digest = hashlib.blake2b(job_id.encode(), digest_size=CHOOSING + KEPT).digest()
    return int.from_bytes(digest[:CHOOSING]), digest[CHOOSING:]
