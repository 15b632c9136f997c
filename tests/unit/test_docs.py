"""The docs and the code name the same settings, processors and packages."""

import re
from importlib import import_module

import pytest

from shared import processors
from shared.processors.registry import registered
from shared.settings import ROOT, Setting, declared

SETTINGS = (ROOT / "docs" / "settings.md").read_text()


def row(setting: Setting) -> str:
    """The line of docs/settings.md for this setting."""
    default = {None: "required", "": "empty"}.get(setting.default, f"`{str(setting.default).removeprefix(f'{ROOT}/')}`")
    return f"| `{setting.variable}` | {default} | {setting.meaning} |"


def test_every_setting_has_its_row_in_the_docs() -> None:
    documented = re.findall(r"^\| `(?:SLUICE|GOOGLE)_[A-Z_]+` \|.*$", SETTINGS, re.MULTILINE)

    assert documented == [row(setting) for setting in declared().values()]


def test_every_processor_is_in_the_docs() -> None:
    for module in processors.MODULES:
        import_module(f"shared.processors.{module}")

    assert [name for name in registered if f"`{name}`" not in SETTINGS] == []


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_we_chose_has_its_reason(requirements: str) -> None:
    chosen = (ROOT / requirements).read_text().partition("\n\n")[0]
    names = re.findall(r"^(?!types-)([a-z0-9-]+)==", chosen, re.MULTILINE)
    reasons = (ROOT / "docs" / "decisions.md").read_text()

    assert [name for name in names if name.removeprefix("google-cloud") not in reasons] == []
