"""The examples in docstrings are run: those of the Python modules and those of the stub."""

from __future__ import annotations

import ast
import doctest
import importlib
import tempfile
from pathlib import Path

import pytest

import drugs_rs

PACKAGE = Path(drugs_rs.__file__).resolve().parent
MODULES = ["drugs_rs", "drugs_rs.exceptions", "drugs_rs.graph", "drugs_rs.polars", "drugs_rs.schemas", "drugs_rs.table"]


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that an example makes go where pytest removes them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_package_shows_an_example() -> None:
    assert doctest.testmod(drugs_rs).attempted > 5


def examples_of_the_stub() -> dict[str, doctest.DocTest]:
    """Qualified name → the example in its docstring."""
    path = PACKAGE / "_core.pyi"
    found: dict[str, doctest.DocTest] = {}
    parser = doctest.DocTestParser()

    def visit(node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
                qualified = f"{name}.{child.name}".lstrip(".")
                test = parser.get_doctest(ast.get_docstring(child) or "", {}, qualified, str(path), child.lineno)
                if test.examples:
                    found[qualified] = test
                visit(child, qualified)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


@pytest.mark.parametrize("name", examples_of_the_stub())
def test_examples_of_the_stub(name: str) -> None:
    results = doctest.DocTestRunner(verbose=False).run(examples_of_the_stub()[name])
    assert results.failed == 0


def test_the_stub_shows_examples() -> None:
    assert {"Matcher", "Matcher.find", "Matcher.find_many", "Table"} <= set(examples_of_the_stub())
