"""The cost of large pages, in CPU time of this process."""

import gzip
import time

from shared.testing import FakeCloud
from tests.functions.calls import Load

HERE = {"host": "127.0.0.1:8088", "accept-encoding": "gzip"}
FILES = 1000
MAX_CPU_SECONDS = 1.0


def index_files(cloud: FakeCloud, number: int) -> None:
    """Write the index entries of so many ended files."""
    for place in range(number):
        verdict, reason = ("failed", "not_a_picture") if place % 10 == 0 else ("succeeded", "")
        cloud.results.create(
            f"index/{verdict}/{8_299_999_999_999_999 - place}-{'a' * 26}-{1_700_000_000_000_000 + place}",
            "application/octet-stream",
            b"",
            {"name": f"invoices/2026/scan {place}.jpg", "size": str(place * 1000), "type": "image/jpeg", "reason": reason},
        )


def test_a_page_of_a_thousand_files_takes_less_than_a_second_of_cpu(client: Load, cloud: FakeCloud) -> None:
    """The first page loads the templates; the second, of another length and so another list, is measured."""
    index_files(cloud, FILES)
    console = client("console")
    console.get("/?limit=1", headers=HERE)
    before = time.process_time()
    answer = console.get(f"/?limit={FILES}", headers=HERE)
    spent = time.process_time() - before

    assert answer.status_code == 200
    assert gzip.decompress(answer.data).count(b'<tr id="job-') == FILES
    assert spent < MAX_CPU_SECONDS
