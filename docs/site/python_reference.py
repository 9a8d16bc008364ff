"""Pages of the Python modules, made of signatures and docstrings in the stub and the modules, without importing."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, NamedTuple, Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]
SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Attributes|Examples?):$")
# In the order of the list: the façade, whose definitions are in the stub, then what is beside it.
MODULES = (
    "drugs_rs",
    "drugs_rs.exceptions",
    "drugs_rs.table",
    "drugs_rs.graph",
    "drugs_rs.polars",
    "drugs_rs.duckdb",
    "drugs_rs.postgres",
    "drugs_rs.bigquery",
    "drugs_rs.spark",
    "drugs_rs.sql",
    "drugs_rs.schemas",
    "drugs_rs.airflow",
)


class Found(NamedTuple):
    """A public name and what defines it."""

    name: str
    node: Definition


def pages(package: Path) -> Iterator[tuple[str, str]]:
    """Return the name and the text of each page: the index, then each module."""
    rows = []
    texts = []
    for module in MODULES:
        tree = _parsed(_file(package, module))
        about = ast.get_docstring(tree) or ""
        rows.append(f"| [`{module}`]({module}.md) | {about.splitlines()[0]} |")
        lines = [f"# `{module}`", "", *markdown(about), ""]
        for name, node in public_names(package, module):
            lines += _definition(name, node)
        texts.append((module, "\n".join(lines) + "\n"))
    yield "README", "\n".join(["# Python modules", "", "| module | has |", "|---|---|", *rows]) + "\n"
    yield from texts


def public_names(package: Path, module: str) -> list[Found]:
    """Return the functions and classes that a module offers, wherever in the package they are defined."""
    path = _file(package, module)
    tree = _parsed(path)
    defined = _definitions(tree)
    if module == "drugs_rs":
        defined.update(_definitions(_parsed(package / "_core.pyi")))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("drugs_rs") and not node.level:
            source = _file(package, node.module or "")
            there = _definitions(_parsed(source)) if source.exists() else {}
            defined.update({name.asname or name.name: there[name.name] for name in node.names if name.name in there})
    names = _all_names(tree) or [name for name in defined if not name.startswith("_")]
    return [Found(name, defined[name]) for name in names if name in defined]


def markdown(docstring: str) -> list[str]:
    """Return a docstring as Markdown: sessions in fences, sections as lists of definitions."""
    lines: list[str] = []
    section = ""
    in_session = False
    for line in docstring.splitlines():
        is_session = line.lstrip().startswith((">>> ", ">>>", "... ")) or (in_session and bool(line.strip()))
        if is_session and not in_session:
            lines += ["", "```pycon"]
        elif in_session and not is_session:
            lines.append("```")
        in_session = is_session
        heading = SECTION.match(line)
        if is_session:
            lines.append(line)
        elif heading:
            section = heading[1]
            lines += [f"**{section}**", ""]
        elif section and line.startswith("    "):
            lines += _section_line(section, line[4:])
        else:
            section = section if not line.strip() else ""
            lines.append(_linked(re.sub(r"::$", ":", line)))
    return [*lines, "```"] if in_session else lines


def _section_line(section: str, line: str) -> list[str]:
    """A line of a section: the first one of an entry names it."""
    entry = re.match(r"^(?P<name>\*{0,2}\w+): +(?P<text>.*)$", line)
    if section in ("Args", "Raises", "Attributes") and entry:
        return ["", f"`{entry['name']}`", f":   {_linked(entry['text'])}"]
    return [("    " if section in ("Args", "Raises", "Attributes") else "") + _linked(line.strip())]


def _linked(line: str) -> str:
    """A line with the pages that it names as links."""
    return re.sub(r"(`+)docs/([\w-]+)\.md\1", r"[docs/\2.md](../../docs/\2.md)", line)


def _definition(name: str, node: Definition, owner: str = "") -> list[str]:
    """The text about a function or a class, with its public methods a level lower."""
    level = "###" if owner else "##"
    lines = [f"{level} `{owner}{name}`", "", "```python", *_signature(node), "```", ""]
    lines += [*markdown(ast.get_docstring(node) or ""), ""]
    if isinstance(node, ast.ClassDef):
        for child in _methods(node):
            lines += _definition(child.name, child, f"{name}.")
    return lines


def _methods(node: ast.ClassDef) -> list[Function]:
    """The documented methods and properties of a class, the first of several signatures; not magic ones."""
    found: dict[str, Function] = {}
    for child in node.body:
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) or child.name.startswith("_"):
            continue
        if ast.get_docstring(child):
            found.setdefault(child.name, child)
    return list(found.values())


def _signature(node: Definition) -> list[str]:
    """The lines that define a name, one for each argument where it is long."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return [f"class {node.name}({bases})" if bases else f"class {node.name}"]
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    lines = [f"@{mark}" for mark in marks if mark in ("property", "classmethod", "staticmethod")]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"def {node.name}({ast.unparse(node.args)}){returns}"
    if len(line) <= 100:
        return [*lines, line]
    parts = _arguments(node.args)
    return [*lines, f"def {node.name}(", *(f"    {part}," for part in parts), f"){returns}"]


def _arguments(arguments: ast.arguments) -> list[str]:
    """Each argument as it is written."""
    alone = ast.arguments([], [], None, [], [], None, [])
    found = []
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    for number, argument in enumerate(positional):
        default = arguments.defaults[number - missing : number - missing + 1] if number >= missing else []
        found.append(ast.unparse(_with(alone, args=[argument], defaults=default)))
        if number + 1 == len(arguments.posonlyargs):
            found.append("/")
    if arguments.vararg:
        found.append("*" + ast.unparse(arguments.vararg))
    elif arguments.kwonlyargs:
        found.append("*")
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults):
        found.append(ast.unparse(_with(alone, args=[argument], defaults=[value] if value else [])))
    if arguments.kwarg:
        found.append("**" + ast.unparse(arguments.kwarg))
    return found


def _with(arguments: ast.arguments, *, args: list[ast.arg], defaults: list[ast.expr]) -> ast.arguments:
    """The arguments of a function that has only these."""
    return ast.arguments([], args, arguments.vararg, [], [], arguments.kwarg, defaults)


def _definitions(tree: ast.Module) -> dict[str, Definition]:
    """The functions and classes of a module by name, the first of several signatures."""
    found: dict[str, Definition] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.setdefault(node.name, node)
    return found


def _all_names(tree: ast.Module) -> list[str]:
    """The texts in `__all__`, in order."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            values = (
                node.value.elts
                if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple))
                else []
            )
            return [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return []


def _file(package: Path, module: str) -> Path:
    """The source of a module."""
    parts = module.split(".")[1:]
    folder = package.joinpath(*parts)
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
