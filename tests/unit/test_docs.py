"""The docs and the code name the same settings, processors and packages."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from shared import processors
from shared.errors import BadFile
from shared.processors.any import NoOptions
from shared.processors.registry import Draft, processor, registered
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


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!http)([^)]+)\)", readme)

    assert len(readme.splitlines()) <= 150
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_processor_in_the_readme_works_as_it_is_printed(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    names: dict[str, Any] = {"Path": Path, "Iterator": Iterator, "json": json, "BadFile": BadFile, "NoOptions": NoOptions}
    (tmp_path / "source").write_text("one\ntwo\n")
    try:
        exec(code, names | {"processor": processor, "Draft": Draft})
        (draft,) = registered["text.lines"].run(tmp_path / "source", tmp_path, {})
    finally:
        registered.pop("text.lines", None)

    assert (json.loads(draft.path.read_text()), draft.facts) == ({"lines": 2}, {"lines": 2})


def test_every_pinned_runtime_package_we_chose_has_its_reason() -> None:
    chosen = (ROOT / "requirements.txt").read_text().partition("\n\n")[0]
    names = re.findall(r"^([a-z0-9-]+)==", chosen, re.MULTILINE)
    reasons = (ROOT / "docs" / "decisions.md").read_text()

    assert [name for name in names if name.removeprefix("google-cloud") not in reasons] == []
