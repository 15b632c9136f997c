"""The console's words for states."""

from shared.console import words
from shared.index import PROCESSING, VERDICTS


def test_only_success_is_called_done() -> None:
    called_done = {state for state, (word, colour) in words.STATES.items() if word == "done" or colour == "good"}

    assert called_done == {"succeeded", "done"}


def test_every_state_of_a_list_has_a_word_of_its_own() -> None:
    assert len({words.STATES[state] for state in (PROCESSING, *VERDICTS)}) == len(VERDICTS) + 1
