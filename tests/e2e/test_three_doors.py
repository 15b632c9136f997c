"""A photograph through each door, sent by the clients that people use: outputs, manifest and one notice."""

import hashlib
import http.client
import io
import json
import shlex
import socket
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from google.cloud.storage import Bucket, Client
from PIL import Image

from shared.testing import crc32c
from tests import fuzzing
from tests.answers import document
from tests.conftest import DATA
from tests.e2e.conftest import Notices
from tests.eventually import eventually
from tests.machine import Machine, variables

PHOTO = DATA / "photo.jpg"
Program = Callable[[str], str]


@pytest.fixture(scope="module")
def results(machine: Machine) -> Bucket:
    with variables(machine.environment):
        return Client(project="local-project").bucket("results")


@pytest.fixture(scope="module")
def uploads(machine: Machine) -> Bucket:
    with variables(machine.environment):
        return Client(project="local-project").bucket("uploads")


def get(machine: Machine, url: str) -> tuple[int, Any]:
    """Status and JSON, by curl."""
    done = machine.run("curl", "-sS", "-w", "\n%{http_code}", url)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def check_photo(job: dict[str, Any], results: Bucket) -> None:
    """Check the demo photograph's job against the results bucket."""
    assert job["verdict"] == "succeeded"
    assert {step["step"]: step["attempt"] for step in job["steps"]} == {"digest": 1, "thumbnails": 1}
    outputs = {output["name"]: output for step in job["steps"] for output in step["outputs"]}
    assert set(outputs) == {"1024.webp", "512.webp", "256.webp"}
    facts = {step["step"]: step["facts"] for step in job["steps"]}
    assert facts["digest"]["sha256"] == hashlib.sha256(PHOTO.read_bytes()).hexdigest()
    for output in outputs.values():
        data = results.blob(output["object"]).download_as_bytes()
        assert (len(data), crc32c(data)) == (output["size"], output["crc32c"])
    picture = Image.open(io.BytesIO(results.blob(outputs["1024.webp"]["object"]).download_as_bytes()))
    assert (picture.width, picture.height) == (1024, 798)
    assert not picture.getexif()
    manifests = [blob.name.rpartition("/")[2] for blob in results.list_blobs(prefix=f"jobs/{job['file_id']}/")]
    assert manifests == ["0-digests.json", "0-images.json", "job.json"]


def ids(job: dict[str, Any]) -> list[str]:
    """The `ce-id` of the job's notice and of each step's."""
    return [job["job_id"], *(f"{job['job_id']}-{step['recipe_id']}" for step in job["steps"])]


def test_gsutil_straight_into_the_bucket(machine: Machine, notices: Notices, results: Bucket, program: Program) -> None:
    machine.run(program("gsutil"), "cp", str(PHOTO), "gs://uploads/album/photo.jpg")

    check_photo(notices.job("album/photo.jpg"), results)


def test_curl_to_the_issuer_and_then_to_the_signed_url(machine: Machine, notices: Notices, results: Bucket) -> None:
    asked = json.dumps({"name": "photo.jpg", "content_type": "image/jpeg", "size": PHOTO.stat().st_size})
    ticket = json.loads(machine.run("curl", "-sS", "--fail-with-body", machine.url("issuer"), "-d", asked).stdout)
    subprocess.run(ticket["curl"], shell=True, cwd=DATA, check=True, capture_output=True)

    check_photo(notices.job(ticket["object"]), results)


def test_a_resumable_ticket_works_as_it_is_printed(machine: Machine, notices: Notices, results: Bucket) -> None:
    url = f"{machine.url('issuer')}/?name=photo.jpg&content_type=image/jpeg&resumable=true"
    ticket = json.loads(machine.run("curl", "-sS", "--fail-with-body", url).stdout)
    subprocess.run(["bash", "-c", ticket["curl"]], cwd=DATA, check=True, capture_output=True)

    check_photo(notices.job(ticket["object"]), results)


def test_curl_to_the_upload_service(machine: Machine, notices: Notices, results: Bucket) -> None:
    answer = machine.run("curl", "-sS", "--fail-with-body", "-F", f"file=@{PHOTO}", machine.url("upload"))
    receipt = json.loads(answer.stdout)
    job = notices.job(receipt["object"])

    check_photo(job, results)
    assert job["job_id"] == receipt["job_id"]
    # The later of two tasks without an order publishes the notices of the other again.
    assert sorted(set(notices.ids(receipt["object"]))) == sorted(ids(job))


def test_the_status_service_tells_of_it_and_links_to_it(machine: Machine, notices: Notices) -> None:
    receipt = json.loads(machine.run("curl", "-sS", "-T", str(PHOTO), f"{machine.url('upload')}/photo.jpg").stdout)
    notices.job(receipt["object"])
    status, by_name = get(machine, receipt["status_url"])
    _, by_id = get(machine, f"{machine.url('status')}/jobs/{receipt['file_id']}")

    assert (status, by_name["state"], by_id["state"]) == (200, "succeeded", "succeeded")
    output = by_name["steps"][-1]["outputs"][0]
    downloaded = machine.run("curl", "-sSL", "--fail-with-body", "-o", "/dev/null", "-w", "%{size_download}", output["url"])
    assert int(downloaded.stdout) == output["size"]


@pytest.mark.failure("T58")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("-H content-type:image/jpeg", "-H content-type:image/png"), 403),
        (("-H x-goog-if-generation-match:0", ""), 400),
        (("photo.jpg", "other.jpg"), 403),
    ],
)
def test_a_ticket_is_good_for_nothing_else(machine: Machine, change: tuple[str, str], status: int) -> None:
    url = f"{machine.url('issuer')}/?name=photo.jpg&content_type=image/jpeg"
    ticket = json.loads(machine.run("curl", "-sS", url).stdout)
    headers = " ".join(f"-H {name}:{value}" for name, value in ticket["headers"].items())
    command = f"{headers} {ticket['url']}".replace(*change)
    done = machine.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", str(PHOTO), *shlex.split(command))

    assert int(done.stdout) == status


@pytest.mark.failure("T59")
def test_a_ticket_is_good_once(machine: Machine, notices: Notices) -> None:
    url = f"{machine.url('issuer')}/?name=photo.jpg&content_type=image/jpeg"
    ticket = json.loads(machine.run("curl", "-sS", url).stdout)
    runs = [subprocess.run(ticket["curl"], shell=True, cwd=DATA, capture_output=True, text=True, check=False) for _ in range(2)]

    assert [run.returncode for run in runs] == [0, 22]
    assert "PreconditionFailed" in runs[1].stdout
    notices.job(ticket["object"])


def test_a_truncated_picture_fails_with_a_reason_and_one_attempt(machine: Machine, notices: Notices, uploads: Bucket) -> None:
    uploads.blob("broken.jpg").upload_from_string(PHOTO.read_bytes()[:50_000], content_type="image/jpeg")
    job = notices.job("broken.jpg")
    thumbnails = next(step for step in job["steps"] if step["step"] == "thumbnails")

    assert job["verdict"] == "partial"
    assert (thumbnails["verdict"], thumbnails["reason"], thumbnails["attempt"]) == ("failed", "truncated", 1)


def test_an_overwritten_object_gives_two_jobs_that_do_not_mix(machine: Machine, notices: Notices, uploads: Bucket) -> None:
    blob = uploads.blob("again.txt")
    blob.upload_from_string(b"first words")
    first = notices.job("again.txt")
    blob.upload_from_string(b"and these are others")
    second = notices.job("again.txt", but_not=first["job_id"])

    assert first["file_id"] == second["file_id"]
    assert [job["steps"][0]["facts"]["size"] for job in (first, second)] == [11, 20]
    _, status = get(machine, f"{machine.url('status')}/objects/again.txt")
    _, older = get(machine, f"{machine.url('status')}/objects/again.txt?older={status['older']}")
    assert [status["job_id"], *(job["job_id"] for job in older["jobs"])] == [second["job_id"], first["job_id"]]


def test_a_file_copied_within_the_bucket_is_sent_again(
    machine: Machine, notices: Notices, uploads: Bucket, program: Program
) -> None:
    uploads.blob("resent.txt").upload_from_string(b"words")
    machine.run(program("gsutil"), "cp", "gs://uploads/resent.txt", "gs://uploads/again/resent.txt")

    assert notices.job("again/resent.txt")["verdict"] == "succeeded"


def test_a_repeated_notification_runs_nothing_twice(machine: Machine, notices: Notices, uploads: Bucket) -> None:
    machine.fault("repeat", "notifications")
    uploads.blob("once.txt").upload_from_string(b"once")
    job = notices.job("once.txt")
    uploads.blob("after.txt").upload_from_string(b"after")
    notices.job("after.txt")

    both = ["already queued", "queued"]
    eventually(lambda: sorted(logged(machine, "dispatcher", job["job_id"])) == both, "the second push")
    assert logged(machine, "processor", job["job_id"]) == ["ended"]
    assert sorted(notices.ids("once.txt")) == sorted(ids(job))


def logged(machine: Machine, function: str, job_id: str) -> list[str]:
    """The sentences that a function logged about a job."""
    lines = (machine.data / "logs" / f"{function}.log").read_text().splitlines(keepends=True)
    found = [json.loads(line) for line in lines if job_id in line and line.endswith("\n")]
    return [line["message"] for line in found if line.get("job") == job_id]


@pytest.mark.failure("T55")
@pytest.mark.parametrize("queue", ["images", "digests"])
def test_a_queue_outlives_an_outage_of_the_processor(machine: Machine, queue: str) -> None:
    place = f"v2/projects/local-project/locations/us-central1/queues/{queue}"
    status, found = get(machine, machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"] + place)

    assert (status, found["retryConfig"]["maxAttempts"], found["retryConfig"]["maxRetryDuration"]) == (200, 100, "604800s")


@pytest.mark.failure("T72")
def test_an_unreadable_message_becomes_a_dead_letter(machine: Machine) -> None:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    with variables(machine.environment):
        publisher, subscriber = PublisherClient(), SubscriberClient()
    publisher.publish("projects/local-project/topics/uploads", b"what is this").result()
    letters = "projects/local-project/subscriptions/dead-letters"

    def look() -> Any:
        return subscriber.pull(subscription=letters, max_messages=1).received_messages

    (letter,) = eventually(look)
    assert "attributes" in letter.message.data.decode() or letter.message.data == b"what is this"


@pytest.mark.failure("T49")
@pytest.mark.parametrize(
    "name", ["ünï/e\u0301.txt", "ünï/\u00e9.txt", "🐈.txt", "a b+c&d=e.txt", "a%2Fb#c?d.txt", "-rf", "dots/../up.txt"]
)
def test_odd_names_straight_into_the_bucket_are_correct_jobs(
    machine: Machine, notices: Notices, uploads: Bucket, name: str
) -> None:
    uploads.blob(name).upload_from_string(name.encode(), content_type="text/plain")
    job = notices.job(name)

    assert job["verdict"] == "succeeded"
    assert job["steps"][0]["facts"]["size"] == len(name.encode())


def test_the_longest_name_an_object_can_have_comes_to_a_verdict(machine: Machine, notices: Notices, uploads: Bucket) -> None:
    name = "n" * 1024
    uploads.blob(name).upload_from_string(b"words", content_type="text/plain")
    job = notices.job(name)

    assert (job["verdict"], job["reason"], job["steps"]) == ("failed", "name_too_long", [])


def test_an_oversized_header_is_refused_with_a_4xx(machine: Machine) -> None:
    done = machine.run(
        "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "x-big: " + "x" * 20_000, machine.url("status")
    )

    assert done.stdout in ("400", "431")


@pytest.mark.parametrize("service", ["upload", "issuer", "status"])
def test_schemathesis_finds_no_answer_outside_of_the_contract(machine: Machine, service: str) -> None:
    """Over real connections; tests/docs sends more to the same functions in memory."""
    whole = fuzzing.within(document(service), 512 << 20)

    assert list(fuzzing.broken(whole, machine.url(service), examples=1)) == []


#: Requests that no client of ours sends, without their last lines.
ODD = {
    "a trace": b"TRACE / HTTP/1.1",
    "a server-wide question": b"OPTIONS * HTTP/1.1",
    "a tunnel": b"CONNECT localhost:1 HTTP/1.1",
    "an unknown method": b"BREW /objects/a HTTP/1.1",
    "a long path": b"DELETE /objects/" + b"a" * 20_000 + b" HTTP/1.1",
    "a path of another server": b"DELETE http://elsewhere/objects/a HTTP/1.1",
    "a zero byte": b"DELETE /objects/%00 HTTP/1.1",
    "a half escape": b"DELETE /objects/%f HTTP/1.1",
    "bytes in the path": b"DELETE /objects/\xff\xfe HTTP/1.1",
    "many headers": b"DELETE /objects/a HTTP/1.1" + b"".join(b"\r\nX-%d: 1" % number for number in range(500)),
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4",
    "a length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
    "a negative length": b"POST / HTTP/1.1\r\nContent-Length: -3",
    "no version": b"DELETE /objects/a",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01",
}


@pytest.mark.parametrize("service", ["upload", "issuer", "status"])
@pytest.mark.parametrize("sent", ODD.values(), ids=ODD)
def test_an_odd_request_is_refused_with_a_4xx(machine: Machine, service: str, sent: bytes) -> None:
    address = urlsplit(machine.url(service))
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(sent + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = connection.makefile("rb").readline()

    assert answer.split()[1][:1] == b"4", answer


def test_a_client_that_reads_nothing_before_it_has_sent_everything_learns_why_it_was_refused(machine: Machine) -> None:
    size = 100 << 20
    connection = http.client.HTTPConnection(urlsplit(machine.url("upload")).netloc, timeout=60)
    connection.request("PUT", "/too-large.bin", (bytes(1 << 20) for _ in range(size >> 20)), {"content-length": str(size)})
    answer = connection.getresponse()

    assert (answer.status, json.load(answer)["error"]) == (413, "too_large")
    connection.close()


@pytest.mark.failure("T62")
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 100", b"a,b,c"),
        ("Content-Length: 9000000", b"a,b,c\n" * 1_000_000),
        ("Transfer-Encoding: chunked", b"5\r\na,b,c\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\na,b,c\r\nZZ\r\n"),
    ],
    ids=["short", "long", "chunks end", "no chunk"],
)
def test_a_body_that_breaks_off_is_not_a_file(machine: Machine, uploads: Bucket, framing: str, body: bytes) -> None:
    address = urlsplit(machine.url("upload"))
    before = {blob.name for blob in uploads.list_blobs()}
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        head = f"PUT /rows.csv HTTP/1.1\r\nHost: {address.netloc}\r\nIdempotency-Key: {uuid.uuid4()}\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()

        assert (answer.status, json.load(answer)["error"]) == (400, "body_cut_short")
    assert {blob.name for blob in uploads.list_blobs()} == before


@pytest.mark.parametrize("name", ["..", ".", "a" * 1025, ".well-known/acme-challenge/x", "a%0db"])
def test_a_name_no_object_can_have_is_not_found(machine: Machine, name: str) -> None:
    done = machine.run("curl", "-sS", "--path-as-is", "-w", "\n%{http_code}", f"{machine.url('status')}/objects/{name}")
    body, _, status = done.stdout.rpartition("\n")

    assert (status, json.loads(body)["error"]) == ("404", "not_found")


def peak_bytes(machine: Machine, function: str) -> int:
    """The peak memory of a function's largest process (Linux)."""
    service = psutil.Process(machine.function_pid(function))  # not all processes: children of steps end at any moment
    workers = [service, *service.children()]
    peaks = [Path(f"/proc/{worker.pid}/status").read_text().partition("VmHWM:")[2].split()[0] for worker in workers]
    return max(int(peak) for peak in peaks) << 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc, which only Linux has")
def test_the_upload_service_needs_no_more_memory_for_a_larger_file(machine: Machine, tmp_path: Path) -> None:
    small, largest, over, too_large = (tmp_path / name for name in ("small.bin", "largest.bin", "over.bin", "too-large.bin"))
    for file, megabytes in ((small, 5), (largest, 31), (over, 34), (too_large, 300)):
        with file.open("wb") as stream:
            stream.truncate(megabytes << 20)

    def send(*how: str) -> tuple[str, Any]:
        done = machine.run("curl", "-sS", "-w", "\n%{http_code}", *how)
        body, _, status = done.stdout.rpartition("\n")
        return status, json.loads(body)

    for _ in range(12):  # every thread of the server gets a heap of its own when it is first used
        assert send("-F", f"file=@{small}", machine.url("upload"))[0] == "202"
    before = peak_bytes(machine, "upload")
    for how in (("-F", f"file=@{largest}"), ("-T", str(largest)), ("-T", str(largest), "-H", "transfer-encoding: chunked")):
        url = machine.url("upload") + ("/" if "-T" in how else "")
        assert send(*how, url)[0] == "202"
    for how in (
        ("-F", f"file=@{too_large}"),
        ("-T", str(too_large)),
        ("-T", str(over), "-H", "transfer-encoding: chunked"),  # without a length it has to be read up to the limit
    ):
        url = machine.url("upload") + ("/" if "-T" in how else "")
        status, answer = send(*how, url)
        assert status == "413"
        assert machine.url("issuer") in answer["message"]

    # Held whole, the largest file would take 31 MiB; 5 are usual, and 17 were seen after many other requests on a busy machine.
    assert peak_bytes(machine, "upload") - before < 24 << 20
