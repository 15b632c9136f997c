"""A child is a fork: threads, logs and chance work in it all the same. Its call arrives whole, however large."""

from pathlib import Path

from tests.unit.sandbox.conftest import Run


def test_threads_of_a_child_may_log(run: Run) -> None:
    code = """
import concurrent.futures, logging, threading
logging.basicConfig(filename=folder / "log", level=logging.INFO)
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda number: logging.info("%s", number), range(100)))
found["lines"] = len((folder / "log").read_text().splitlines())
found["threads"] = threading.active_count()
found["is main"] = threading.current_thread() is threading.main_thread()
"""
    assert run("python " + code).made().facts == {"lines": 100, "threads": 1, "is main": True}


def test_two_children_have_other_random_numbers_and_names(run: Run) -> None:
    code = """
import os, random, tempfile, uuid
found |= {"random": random.random(), "uuid": str(uuid.uuid4()), "name": os.path.basename(tempfile.mktemp())}
"""
    first, second = (run("python " + code).made().facts for _ in range(2))

    assert not set(first.values()) & set(second.values())


def test_a_child_collects_garbage_and_makes_temporary_files_in_its_folder(run: Run) -> None:
    code = """
import gc, os, tempfile
found["collects"] = gc.isenabled()
found["is here"] = os.path.dirname(tempfile.mkdtemp()) == str(folder.parent)
"""
    assert run("python " + code).made().facts == {"collects": True, "is here": True}


def test_only_threading_and_logging_are_loaded_without_their_work_after_a_fork(run: Run) -> None:
    assert run("python import os, posix\nfound['same'] = os.register_at_fork is posix.register_at_fork").made().facts == {
        "same": True
    }


def test_a_call_larger_than_the_buffer_of_a_socket_arrives_whole(run: Run, tmp_path: Path) -> None:
    (asset := tmp_path / "asset").write_text("a logo")

    assert run("write data", {"assets/" + "n" * (2 << 20): asset}).made().drafts
