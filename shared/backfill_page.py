"""A page of a backfill: what one call of the sweeper does. The next page waits in the sweeper's queue. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared import sweep_part
from shared.errors import BadRequest
from shared.model import Json

#: The path of the sweeper to which Cloud Tasks delivers pages.
PATH = "/pages"
#: Its paths for tasks.
TASKS = (sweep_part.PATH, PATH)
#: The folder of backfills in the results bucket, and the prefix of the objects by which they begin.
FOLDER = "backfills"
BEGUN = f"{FOLDER}/begun/"
ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of this backfill. Pages count from 0.

    `mark` is the number of stops and resumes before it: each takes the backfill away from the pages that were queued earlier.
    `wait_seconds` is the time until its first delivery.
    """

    backfill: str
    mark: int = 0
    number: int = 0
    wait_seconds: int = 0

    @property
    def name(self) -> str:
        """The name in its queue: a repeat of the page before queues it once."""
        return f"backfill-{self.backfill}-{self.mark}-{self.number}"

    @property
    def queue(self) -> str:
        """The queue that it waits in."""
        return sweep_part.QUEUE

    def to_json(self) -> Json:
        return {"backfill": self.backfill, "mark": self.mark, "number": self.number}


def read(body: Json) -> Page:
    """The page in the body of a request. Raises `BadRequest` when a field is missing or malformed."""
    try:
        page = Page(str(body["backfill"]), int(body["mark"]), int(body["number"]))
        if ID.fullmatch(page.backfill) and min(page.mark, page.number) >= 0:
            return page
    except (LookupError, TypeError, ValueError, OverflowError):
        pass
    raise BadRequest("a field of the body is missing or malformed", "bad_json")


def days(names: Iterable[str]) -> list[int]:
    """The days on which these backfills began, newest first, in UTC, counted from 1970. Ids have the time."""
    found = [name.removeprefix(BEGUN) for name in names]
    dates = {datetime.strptime(one[:8], "%Y%m%d").replace(tzinfo=UTC) for one in found if ID.fullmatch(one)}
    return sorted((int(date.timestamp()) // (24 * 3600) for date in dates), reverse=True)
