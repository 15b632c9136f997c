"""The list in deploy.sh: every line can be followed, and mistakes in it are named."""

import inspect
import io
from pathlib import Path

import pytest

from deploy.errors import Failed
from deploy.everything import WAITING, WORDS, everything
from deploy.listing import Line, Listing
from deploy.running import Runner
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE, WEBHOOKS, deployment


def test_every_line_of_deploy_sh_fits_the_function_of_its_word(tmp_path: Path) -> None:
    for line in deployment(tmp_path, text=PIPELINE + WEBHOOKS).listing.lines:
        first = (None, None) if line.word in WAITING else (None,)
        inspect.signature({**WORDS, **WAITING}[line.word]).bind(*first, *line.arguments)


def test_every_word_has_a_line_in_deploy_sh(tmp_path: Path) -> None:
    assert {line.word for line in deployment(tmp_path, text=PIPELINE + WEBHOOKS).listing.lines} == {*WORDS, *WAITING}


def test_options_take_the_place_of_variables() -> None:
    listing = Listing('service  upload  "$SIZE"  # why\n\npools processor\n', {"SIZE": "4Gi"}, {})

    assert listing.lines == [Line("service", ("upload", "4Gi")), Line("pools", ("processor",))]


def test_a_variable_that_is_no_option_is_named() -> None:
    with pytest.raises(Failed, match=r"\$COLOUR is no option"):
        Listing("bucket uploads $COLOUR", {}, {})


def test_a_word_without_a_function_is_named(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.listing.lines[:] = [Line("pond", ())]
    with pytest.raises(Failed, match="`pond` is no word of the list"):
        everything(it, Runner(None, io.StringIO()))


def test_there_is_an_account_for_each_service_and_each_other_job(tmp_path: Path) -> None:
    listing = deployment(tmp_path).listing

    assert " ".join(listing.services) == "upload issuer dispatcher status sweeper console processor processor-slow"
    assert [name for name in listing.functions.values() if not (ROOT / "functions" / name / "main.py").exists()] == []
    assert listing.accounts == ["signer", "reader", "tasks", "push", "clock", "build", *listing.services]
