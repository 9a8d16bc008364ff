"""The rules of the house that no type checker sees."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

import pyarrow
import pytest

import drugs_rs

PACKAGE = Path(drugs_rs.__file__).resolve().parent
# The only files that may import the native module: the package's interface, and the command.
FACADE = {"__init__.py", "__main__.py", "polars.py", "exceptions.py"}
FROM_CORE = sorted(set(drugs_rs.__all__) - {"__version__", "exceptions"})


def imported(source: str) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def names_core(source: str) -> bool:
    """Whether a module imports the native one, absolutely or relatively."""
    return any(name.lstrip(".").startswith(("_core", "drugs_rs._core")) for name in imported(source))


@pytest.mark.parametrize(
    "source",
    [
        "import drugs_rs._core",
        "from drugs_rs import _core",
        "def f():\n    from drugs_rs._core import run",
        "from . import _core",
        "from ._core import run",
        "import importlib\nimportlib.import_module('drugs_rs._core')",
    ],
)
def test_the_scan_sees_every_form(source: str) -> None:
    assert names_core(source)
    assert not names_core("from drugs_rs import exceptions, run")


def test_only_the_facade_imports_the_native_module() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    naming = {path.relative_to(PACKAGE).as_posix() for path in files if names_core(path.read_text(encoding="utf-8"))}
    assert {"__init__.py", "__main__.py"} <= naming <= FACADE


def test_the_code_names_every_extra() -> None:
    """An extra that no message of the package recommends is a promise without code."""
    pyproject = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    table = pyproject.split("[project.optional-dependencies]\n")[1].split("\n\n")[0]
    extras = {line.split(" = ")[0] for line in table.splitlines()}
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert extras == {name for source in sources for name in re.findall(r"drugs-rs\[(\w+)\]", source)}


def stub() -> ast.Module:
    """The parsed stub of the native module."""
    return ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8"))


def documented(module: ast.Module) -> dict[str, str]:
    """Qualified name → docstring, of every function, class and method of a stub but the magic ones."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            methods = (method for method in node.body if isinstance(method, ast.FunctionDef))
            found.update({f"{node.name}.{method.name}": ast.get_docstring(method) or "" for method in methods})
    return {name: text for name, text in found.items() if not name.split(".")[-1].startswith("_")}


def test_the_stub_documents_every_public_name() -> None:
    documentation = documented(stub())
    assert set(FROM_CORE) <= set(documentation)
    assert [name for name, text in documentation.items() if not text] == []


@pytest.mark.parametrize("name", FROM_CORE)
def test_help_says_what_the_stub_says(name: str) -> None:
    """A notebook shows the docstring of the object, an editor that of the stub: the same first sentence."""
    text: str = documented(stub())[name]
    assert (getattr(drugs_rs, name).__doc__ or "").strip().split("\n")[0] == text.split("\n")[0]


@pytest.fixture
def instances(sample_graph: drugs_rs.DrugGraph, sample_lake: Path, samples: Path) -> dict[str, object]:
    """One object of each class."""
    matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
    (mention,) = matcher.find("diphenhydramine")
    return {
        "CleanTable": drugs_rs.read_drugs(samples / "drugs.csv"),
        "DrugGraph": sample_graph,
        "Lake": drugs_rs.Lake(sample_lake),
        "LakeDiff": drugs_rs.Lake(sample_lake).diff("2999-01-01", "2999-01-02"),
        "Matcher": matcher,
        "Mention": mention,
        "PairEvidence": drugs_rs.Lake(sample_lake).evidence("ibuprofen", "101"),
        "MentionColumn": matcher.find_column(pyarrow.array(["metformin"])),
        "PublicationBatches": drugs_rs.iter_publications(samples / "pubmed.csv"),
        "Table": matcher.find_many([]),
        "TableScan": drugs_rs.Lake(sample_lake).scan("mentions"),
    }


CLASSES = sorted(name for name in FROM_CORE if isinstance(getattr(drugs_rs, name), type))


def test_there_is_an_instance_of_every_class(instances: dict[str, object]) -> None:
    assert set(instances) == {name for name in FROM_CORE if isinstance(getattr(drugs_rs, name), type)}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_frozen(name: str, instances: dict[str, object]) -> None:
    instance = instances[name]
    attributes = [attribute for attribute in dir(instance) if not attribute.startswith("_")]
    assert attributes or name == "MentionColumn", name
    for attribute in [*attributes, "something_new"]:
        with pytest.raises((AttributeError, TypeError)):
            setattr(instance, attribute, None)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_a_name_and_a_short_repr(name: str, instances: dict[str, object]) -> None:
    """`object at 0x7f…` says nothing, and a graph must not print itself whole."""
    kind = type(instances[name])
    assert (kind.__module__.split(".")[0], kind.__name__) == ("drugs_rs", name)
    text = repr(instances[name])
    assert text.startswith(name)
    assert " object at 0x" not in text
    assert len(text) < 2000
