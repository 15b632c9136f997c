"""Findings: facts of a run as people read them. The console and the command line draw them. Pure.

A kind of file is one module: `find(steps)` takes the facts of each step, and returns a `Finding`, or None for another kind.
A new kind is a module and its name in `KINDS`.

kinds      document · table · text · recording · archive
platform   blocks (pairs and grids) · values (facts as safe, short text)
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.findings import archive, document, recording, table, text
from shared.findings.blocks import Finding, Grid, Pairs

__all__ = ["Finding", "Grid", "Pairs", "findings"]

KINDS = (document, table, text, recording, archive)


def findings(steps: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """One finding for each kind that these facts show; `steps` has the facts of each step."""
    facts = [one for one in steps if one]
    return [found for kind in KINDS if (found := kind.find(facts))]
