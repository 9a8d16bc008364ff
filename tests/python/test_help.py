"""What `help()`, `inspect` and tab completion show is what the stub says."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any, Union

import pytest

import drugs_rs
from drugs_rs import _core

STUB = Path(drugs_rs.__file__).resolve().parent / "_core.pyi"
Definition = Union[ast.FunctionDef, ast.ClassDef]
# Python itself documents these slots of a class, which an extension cannot change.
SLOTS = {"__copy__", "__deepcopy__", "__eq__", "__getitem__", "__hash__", "__iter__", "__len__", "__new__", "__next__"}


def definitions() -> dict[str, Definition]:
    """Qualified name → definition, of all that the stub defines for users."""
    found: dict[str, Definition] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            found[node.name] = node
            if isinstance(node, ast.ClassDef):
                methods = (method for method in node.body if isinstance(method, ast.FunctionDef))
                found.update({f"{node.name}.{method.name}": method for method in methods if method.name not in SLOTS})
    return found


DEFINITIONS = definitions()


def is_property(node: Definition) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list)


FUNCTIONS = {
    name: node for name, node in DEFINITIONS.items() if isinstance(node, ast.FunctionDef) and not is_property(node)
}


def runtime(name: str) -> Any:
    """The object of a qualified name; a property as the class holds it."""
    value: Any = _core
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_the_stub_defines_all_that_is_public() -> None:
    classes = [name for name in _core.__all__ if inspect.isclass(getattr(_core, name))]
    members = {f"{name}.{member}" for name in classes for member in vars(getattr(_core, name)) if member[0] != "_"}
    assert {*_core.__all__, *members} - {"__version__"} <= set(DEFINITIONS)
    assert {"run", "Matcher", "Matcher.find", "Matcher.from_names", "Mention.start", "DrugGraph.write"} <= set(
        DEFINITIONS
    )


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_docstring_is_that_of_the_stub(name: str) -> None:
    expected = ast.get_docstring(DEFINITIONS[name])
    assert expected
    assert inspect.getdoc(runtime(name)) == expected


def test_the_module_has_the_docstring_of_the_stub() -> None:
    assert inspect.getdoc(_core) == ast.get_docstring(ast.parse(STUB.read_text(encoding="utf-8")))


def parameters_of(node: ast.FunctionDef) -> list[tuple[str, str, object]]:
    """Name, kind and default of each parameter in the stub, without `self` and `cls`."""
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [inspect.Parameter.empty] * (len(plain) - len(arguments.defaults))
    values = [*defaults, *(ast.literal_eval(default) for default in arguments.defaults)]
    found = [(argument.arg, "POSITIONAL_OR_KEYWORD", value) for argument, value in zip(plain, values)]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        value = inspect.Parameter.empty if default is None else ast.literal_eval(default)
        found.append((argument.arg, "KEYWORD_ONLY", value))
    if arguments.kwarg is not None:
        found.append((arguments.kwarg.arg, "VAR_KEYWORD", inspect.Parameter.empty))
    return [parameter for parameter in found if parameter[0] not in ("self", "cls")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_signature_is_that_of_the_stub(name: str) -> None:
    node = FUNCTIONS[name]
    assert isinstance(node, ast.FunctionDef)
    parameters = inspect.signature(runtime(name)).parameters.values()
    found = [(parameter.name, parameter.kind.name, parameter.default) for parameter in parameters]
    assert [parameter for parameter in found if parameter[0] != "self"] == parameters_of(node)


@pytest.mark.core  # Python 3.8 finds no signature of a class that an extension makes
def test_the_signature_of_a_class() -> None:
    assert list(inspect.signature(drugs_rs.Mention).parameters) == [
        "atccode", "drug", "start", "end", "surface", "rule",
    ]  # fmt: skip


def test_help_shows_arguments() -> None:
    code = "import drugs_rs; help(drugs_rs.run); help(drugs_rs.Matcher.from_names)"
    environment = {"PAGER": "cat", "TERM": "dumb"}
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8", env=environment
    ).stdout
    # Newer Pythons put each parameter on a line of its own.
    shown = shown.replace("(\n    ", "(").replace(",\n    ", ", ")
    assert "run(*, drugs=None, pubmed=None, clinical_trials=None, " in shown
    assert "=None, lake=None" in shown
    assert "max_exclusive=1000000" in shown
    assert "month_first: Read `01/02/2020` as 2 January" in shown
    assert "from_names(names, *, boundary='word'" in shown.replace('"', "'")


MODULES = ["drugs_rs", "drugs_rs.exceptions", "drugs_rs.graph", "drugs_rs.polars", "drugs_rs.schemas"]


@pytest.mark.parametrize("name", MODULES)
def test_tab_completion_shows_what_is_public(name: str) -> None:
    """`drugs_rs.<Tab>` once offered `annotations`, `import_module` and `TYPE_CHECKING`."""
    module = importlib.import_module(name)
    assert {attribute for attribute in dir(module) if not attribute.startswith("_")} == {
        attribute for attribute in module.__all__ if not attribute.startswith("_")
    }
    assert {"__doc__", "__all__", "__name__"} <= set(dir(module))


@pytest.mark.parametrize("name", [name for name in _core.__all__ if inspect.isclass(getattr(_core, name))])
def test_tab_completion_of_a_class_shows_what_the_stub_has(name: str) -> None:
    kind = getattr(_core, name)
    bases = [base.__name__ for base in kind.__mro__]
    documented = {
        definition.split(".")[1]
        for definition in DEFINITIONS
        if definition.split(".")[0] in bases and "." in definition
    }
    assert {member for member in dir(kind) if not member.startswith("_")} == {
        member for member in documented if not member.startswith("_")
    }
