"""Sends the files, each through a door that is drawn; overwrites some of them, and deletes others."""

import base64
import random
import threading
import uuid
from contextlib import suppress

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Client

from localcloud.address import PROJECT
from tests.chaos import contents
from tests.chaos.contents import Content
from tests.chaos.fleet import Fleet
from tests.chaos.ledger import Entry, Ledger, crc32c
from tests.e2e.doors import RETRY, Upload, to_bucket, to_form, to_signed_url, to_upload_service
from tests.machine import variables

#: The doors that take a file as it is stated, and those that look at it first and refuse poison.
OPEN = (to_bucket, to_signed_url)
DOORS = (*OPEN, to_form, to_upload_service)
#: Every name begins with a random letter or digit of base32; by it the notification of a file is lost, or comes twice.
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
LOST, TWICE = "yz", "bcde"
OVERWRITTEN, DELETED = 0.06, 0.04  # of those that may be
#: Longest pause between an upload and its overwriting or deletion: often the file is in work then.
PAUSE_SECONDS = 1.5


def notification(name: str) -> str:
    """Fate of the notification of an upload with this name: `sent`, `lost` or `repeated`."""
    return "lost" if name[0] in LOST else "repeated" if name[0] in TWICE else "sent"


class Sender:
    """Sends file after file. The seed decides everything but the names that the doors give."""

    def __init__(self, fleet: Fleet, ledger: Ledger, seed: int) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._seed = seed
        with variables(fleet.environment):
            self._bucket = Client(project=PROJECT).bucket("uploads")
        self._pause = threading.Event()

    def send(self, number: int) -> None:
        """Send this file until it is acknowledged. Raises AssertionError when the door refuses it, or for too long."""
        draw = random.Random(f"{self._seed}-{number}")
        content = contents.drawn(draw)
        door = draw.choice(OPEN if content.kind in contents.POISON else DOORS)
        name = f"{content.kind}-{number}.{content.suffix}"
        if door is to_bucket:
            name = f"{base64.b32encode(draw.randbytes(16)).decode().lower().rstrip('=')}/{name}"
        key = str(uuid.UUID(int=draw.getrandbits(128), version=4))
        stored = door(Upload(name, content.data, key=key, content_type=content.content_type), self._fleet, self._bucket)
        entry = self._acknowledged(stored, content, door.__name__)
        # A generation without a notification, or whose task was purged, is healed as long as it is there. So these stay.
        if content.kind != "bulk" and notification(stored) != "lost":
            self._change(entry, draw)

    def _change(self, entry: Entry, draw: random.Random) -> None:
        """Overwrite or delete some, while they are in work or later."""
        fate, seconds = draw.random(), draw.uniform(0, PAUSE_SECONDS)
        again = contents.made(entry.kind, f"{draw.getrandbits(64):016x}")
        if fate < OVERWRITTEN + DELETED:
            self._pause.wait(seconds)
            if fate < OVERWRITTEN:
                self._overwrite(entry, again)
            else:
                self._delete(entry)

    def _overwrite(self, entry: Entry, content: Content) -> None:
        self._ledger.fates[entry.name, entry.generation] = "overwritten"
        with suppress(PreconditionFailed):  # the answer to an earlier try was lost
            self._bucket.blob(entry.name).upload_from_string(
                content.data, content_type=content.content_type, if_generation_match=entry.generation, retry=RETRY
            )
        self._acknowledged(entry.name, content, "overwriting")

    def _delete(self, entry: Entry) -> None:
        self._ledger.fates[entry.name, entry.generation] = "deleted"
        with suppress(NotFound):
            self._bucket.blob(entry.name).delete(if_generation_match=entry.generation, retry=RETRY)

    def _acknowledged(self, name: str, content: Content, door: str) -> Entry:
        blob = self._bucket.get_blob(name, retry=RETRY)
        assert blob is not None, f"{name} was acknowledged, and is not there"
        assert blob.crc32c == crc32c(content.data), f"{name} was acknowledged, and has other bytes"
        entry = Entry(name, blob.generation, blob.crc32c, content.kind, content.token, door)
        self._ledger.add(entry)
        return entry
