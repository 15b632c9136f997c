"""The docs and the code name the same settings, processors and packages."""

import dataclasses
import json
import re

import pytest

from shared import processors
from shared.processors import extras
from shared.setting_values import Setting
from shared.settings import ROOT, declared

SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PROCESSORS = (ROOT / "docs" / "processors.md").read_text()


def row(setting: Setting) -> str:
    """The line of docs/settings.md for this setting."""
    default = {None: "required", "": "empty"}.get(setting.default, f"`{str(setting.default).removeprefix(f'{ROOT}/')}`")
    return f"| `{setting.variable}` | {default} | {setting.meaning} |"


def test_every_setting_has_its_row_in_the_docs() -> None:
    documented = re.findall(r"^\| `(?:SLUICE|GOOGLE)_[A-Z_]+` \|.*$", SETTINGS, re.MULTILINE)

    declarations = [row(setting) for setting in declared().values()]
    assert documented == declarations, "write the rows of docs/settings.md as declared in shared/settings.py, in that order"


@pytest.mark.parametrize("name", processors.names())
def test_every_processor_has_its_row_with_its_limits(name: str) -> None:
    limits = processors.find(name).limits
    memory, outputs = (f"{size >> 20} MiB" for size in (limits.memory_bytes, limits.output_bytes))

    found = re.findall(rf"^\| `{re.escape(name)}` \| .+ \| (.+ \| .+ \| .+) \|$", PROCESSORS, re.MULTILINE)

    assert found == [f"{memory} | {limits.seconds} | {outputs}"], "correct the row in docs/processors.md"


@pytest.mark.parametrize("name", processors.names())
def test_every_option_has_its_row_with_its_default(name: str) -> None:
    options = [(option.name, json.dumps(option.default)) for option in dataclasses.fields(processors.find(name).options)]
    section = PROCESSORS.partition(f"\n### `{name}`\n")[2].partition("\n##")[0]

    assert re.findall(r"^\| `(\w+)` \| .+ \| `(.+)` \|$", section, re.MULTILINE) == options, "correct docs/processors.md"


REQUIREMENTS = ["requirements.txt", "requirements-dev.txt", *(f"extras/{name}.txt" for name in sorted(extras.EXTRAS))]


@pytest.mark.parametrize("requirements", REQUIREMENTS)
def test_every_package_we_chose_has_its_reason(requirements: str) -> None:
    chosen = (ROOT / requirements).read_text().partition("\n\n")[0]
    names = re.findall(r"^(?!types-)([a-z0-9-]+)==", chosen, re.MULTILINE)
    reasons = (ROOT / "docs" / "decisions.md").read_text()

    missing = [name for name in names if name.removeprefix("google-cloud") not in reasons]
    assert missing == [], "give each its reason in docs/decisions.md"


@pytest.mark.parametrize("name", sorted(extras.EXTRAS))
def test_every_extra_has_its_row(name: str) -> None:
    chosen = (ROOT / "extras" / f"{name}.txt").read_text().partition("\n\n")[0]
    (row,) = re.findall(rf"^\| `{name}` \| .+ \| (.+) \|$", PROCESSORS, re.MULTILINE)

    assert re.findall(r"^([a-z-]+)==", chosen, re.MULTILINE)[0] in row, "correct the table of extras in docs/processors.md"
