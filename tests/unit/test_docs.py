"""The docs and the code name the same settings, processors and packages."""

import dataclasses
import re
from collections.abc import Iterator
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

    declarations = [row(setting) for setting in declared().values()]
    assert documented == declarations, "write the rows of docs/settings.md as declared in shared/settings.py, in that order"


def test_every_processor_and_option_has_its_row_in_the_docs() -> None:
    for module in processors.MODULES:
        import_module(f"shared.processors.{module}")
    missing = [start for name, one in registered.items() for start in rows(name, one.options) if f"\n{start}" not in SETTINGS]

    assert missing == [], "docs/settings.md lacks the rows that begin with these"


def rows(name: str, options: type) -> Iterator[str]:
    """The beginnings of the lines for a processor and its options."""
    names = [option.name for option in dataclasses.fields(options)]
    yield f"| `{name}` | {', '.join(f'`{option}`' for option in names) or 'none'} |"
    yield from (f"| `{option}` |" for option in names)


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_we_chose_has_its_reason(requirements: str) -> None:
    chosen = (ROOT / requirements).read_text().partition("\n\n")[0]
    names = re.findall(r"^(?!types-)([a-z0-9-]+)==", chosen, re.MULTILINE)
    reasons = (ROOT / "docs" / "decisions.md").read_text()

    missing = [name for name in names if name.removeprefix("google-cloud") not in reasons]
    assert missing == [], "give each its reason in docs/decisions.md"
