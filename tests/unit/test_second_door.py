"""The line that takes a signed URL to its upload: it prints the object's name and the address of its status."""

import json
import subprocess

from local.usage import TAKE_TICKET
from shared.settings import ROOT


def test_the_line_uploads_and_prints_what_the_file_is_called_afterwards() -> None:
    ticket = {
        "curl": "echo uploaded",
        "object": "7/it's $(id) & more.jpg",
        "status_url": "https://status.test/objects/7/it%27s.jpg",
    }
    sent = json.dumps(ticket)
    done = subprocess.run(
        ["sh", "-c", TAKE_TICKET], cwd=ROOT, input=sent, capture_output=True, check=True, text=True, timeout=60
    )

    assert done.stdout == "uploaded\n7/it's $(id) & more.jpg https://status.test/objects/7/it%27s.jpg\n"


def test_a_failed_upload_prints_no_name() -> None:
    sent = json.dumps({"curl": "false", "object": "7/a.jpg", "status_url": "https://status.test/objects/7/a.jpg"})
    done = subprocess.run(
        ["sh", "-c", TAKE_TICKET], cwd=ROOT, input=sent, capture_output=True, check=False, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (1, "")


def test_the_readme_has_this_line() -> None:
    assert TAKE_TICKET in (ROOT / "README.md").read_text()
