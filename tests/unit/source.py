"""Statements of Python source, for the tests that read every file."""

import ast
from collections.abc import Iterator

#: The fields of a statement, an `except` or a `case` that hold statements.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement under a node, nested ones too; a walk through all expressions takes five times as long."""
    for block in _BLOCKS:
        for node in getattr(tree, block, ()):
            yield node
            yield from statements(node)
