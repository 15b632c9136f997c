"""Deliveries share the memory of the service: those without room wait, then the queue delivers them again."""

import threading

import pytest

from shared.errors import Unavailable
from shared.sandbox.room import Room, Turns
from tests.eventually import eventually


def test_deliveries_that_fit_hold_their_memory_side_by_side() -> None:
    shared = Room(10)

    with shared.reserved(4) as first, shared.reserved(6) as second:
        assert (first.held_bytes, second.held_bytes) == (4, 6)


def test_a_delivery_without_room_is_refused_after_a_while() -> None:
    shared = Room(10, wait_seconds=0.05)

    with shared.reserved(4), pytest.raises(Unavailable, match="7 bytes of memory are not free"), shared.reserved(7):
        pass


def test_a_delivery_waits_for_room() -> None:
    shared, begun = Room(10), threading.Event()

    def wait() -> None:
        with shared.reserved(7):
            begun.set()

    with shared.reserved(4):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not begun.wait(0.05)
    waiting.join(10)

    assert begun.is_set()


def test_a_delivery_larger_than_the_room_runs_alone() -> None:
    shared = Room(10, wait_seconds=0)

    with shared.reserved(50), pytest.raises(Unavailable), shared.reserved(1):
        pass
    with shared.reserved(10):
        pass


def test_a_share_grows_while_there_is_room_and_returns_all_of_it() -> None:
    shared = Room(10)

    with shared.reserved(4), shared.reserved(4) as second:
        second.grow(2)
        with pytest.raises(Unavailable, match="1 more bytes"):
            second.grow(1)
    with shared.reserved(10) as alone:
        alone.grow(5)


def test_a_step_alone_waits_for_the_others_and_keeps_later_ones_waiting() -> None:
    turns, log = Turns(), []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with turns.shared():
            entered.set()
            leave.wait()
            log.append("first")

    def alone() -> None:
        with turns.alone(wait_seconds=30) as is_alone:
            log.append("alone" if is_alone else "in vain")

    def later() -> None:
        with turns.shared():
            log.append("later")

    threads = [threading.Thread(target=first), threading.Thread(target=alone), threading.Thread(target=later)]
    threads[0].start()
    entered.wait()
    threads[1].start()
    eventually(lambda: turns.is_wanted_alone)
    threads[2].start()
    leave.set()
    for thread in threads:
        thread.join(10)

    assert log == ["first", "alone", "later"]


def test_a_step_that_finds_no_time_alone_hinders_nothing_afterwards() -> None:
    turns = Turns()

    with turns.shared(), turns.alone(wait_seconds=0.05) as is_alone:
        assert not is_alone
    with turns.alone(wait_seconds=0) as is_alone:
        assert is_alone


def test_a_second_step_that_waits_in_vain_leaves_the_first_alone() -> None:
    turns = Turns()

    with turns.alone(wait_seconds=0) as first:
        with turns.alone(wait_seconds=0) as second:
            pass

        assert (first, second, turns.is_wanted_alone) == (True, False, True)


def test_a_step_waits_for_one_alone_only_so_long() -> None:
    turns = Turns()

    with turns.alone(wait_seconds=0), pytest.raises(Unavailable, match="runs alone"), turns.shared(wait_seconds=0.05):
        pass
