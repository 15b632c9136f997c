"""`show --members`: the files that were extracted from an archive."""

import json

from shared.testing import FakeCloud
from tests.cli.conftest import Send, Sluice, Work


def test_the_extracted_files_are_listed_with_their_states(
    sluice: Sluice, cloud: FakeCloud, send: Send, work: Work, picture: bytes
) -> None:
    job_id = f"{(archive := send('pets.zip', b'PK')).file_id}-{archive.generation}"
    send(f"extracted/{job_id}/1/cat.png", picture)
    send(f"extracted/{job_id}/2/dog.png", b"no picture")
    work()

    done = sluice("show", "pets.zip", "--members", "--format", "ndjson", "--quiet")

    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in done.lines]
    assert [(row["number"], row["state"], row["reasons"], row["object"]) for row in rows] == [
        (1, "succeeded", [], f"extracted/{job_id}/1/cat.png"),
        (2, "failed", ["not_a_picture"], f"extracted/{job_id}/2/dog.png"),
    ]


def test_without_extracted_files_a_note_says_so(sluice: Sluice, send: Send) -> None:
    send("cat.png", b"meow")

    assert "no extracted files found" in sluice("show", "cat.png", "--members").err
