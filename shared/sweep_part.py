"""A part of a sweep: what one call of the sweeper does. The next part waits in a queue of its own. Pure."""

from dataclasses import dataclass
from typing import Literal

from shared.errors import BadRequest
from shared.model import Json

#: The queue of the parts that are left, without the prefix of the deployment; no queue of steps has this name.
QUEUE = "sweeper"
#: The path of the sweeper to which Cloud Tasks delivers them.
PATH = "/parts"
#: Sweeps look at the runs that began in these last days: more than the week after which Cloud Tasks gives up a task.
WINDOW_DAYS = 14
#: The walks of a sweep, in their order: over the claims of later runs, then over the uploads.
CLAIMS: Literal["claims"] = "claims"
UPLOADS: Literal["uploads"] = "uploads"
Walk = Literal["claims", "uploads"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sweep that began at this time, in seconds since the epoch. Parts count from 0.

    It goes on with this walk from the object `start` on. All parts have the window and the number of their sweep.
    """

    began: int
    number: int = 0
    walk: Walk = CLAIMS
    start: str = ""

    @property
    def name(self) -> str:
        """The name in its queue: a repeat of the part before queues it once."""
        return f"sweep-{self.began}-{self.number}"

    @property
    def queue(self) -> str:
        """The queue that it waits in."""
        return QUEUE

    def rest(self, walk: Walk, start: str) -> "Part":
        """The part after this one."""
        return Part(self.began, self.number + 1, walk, start)

    def to_json(self) -> Json:
        return {"began": self.began, "number": self.number, "walk": self.walk, "start": self.start}


def read(body: Json) -> Part:
    """The part in the body of a request. Raises `BadRequest` when a field is missing or malformed."""
    try:
        part = Part(int(body["began"]), int(body["number"]), body["walk"], body["start"])
        if min(part.began, part.number) >= 0 and part.walk in (CLAIMS, UPLOADS) and isinstance(part.start, str):
            return part
    except (LookupError, TypeError, ValueError, OverflowError):
        pass
    raise BadRequest("a field of the body is missing or malformed", "bad_json")
