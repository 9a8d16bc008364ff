"""Pages of the command, made of what `drugs-rs help` prints: the help comes from the definition of the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Iterator, NamedTuple

# Wide enough that no sentence of the help is wrapped.
WIDTH = 10_000
ENTRY = re.compile(r"^ {2,6}(?P<name>\S.*)$")
VALUES = re.compile(r"^\[(?P<what>env|default|possible values|alias|aliases): (?P<value>.*)\]$")
GLOBAL = "Global options"


class Entry(NamedTuple):
    """An argument or an option: how it is written, and the lines about it."""

    name: str
    lines: list[str]


class Help(NamedTuple):
    """The help of a command in parts: what it does, how it is called, and the sections below."""

    about: list[str]
    usage: str
    sections: dict[str, list[str]]


def pages() -> Iterator[tuple[str, str]]:
    """Return the name and the text of each page: the index, then each command with those below it."""
    top = _parsed(_help())
    commands = _subcommands(top)
    links = [f"| [`drugs-rs {name}`]({name}.md) | {_escaped(about)} |" for name, about in commands.items()]
    index = ["# Commands", "", *map(_escaped, top.about), "", "| command | does |", "|---|---|", *links, ""]
    index += ["## Options of all commands", "", *_entries(top.sections[GLOBAL]), ""]
    index += ["## Exit codes", "", "```text", *(line.strip() for line in top.sections["Exit codes"] if line), "```", ""]
    index.append("[The command](../../docs/command.md) has output, errors and environment variables.")
    yield "README", "\n".join(index) + "\n"
    for name in commands:
        yield name, "\n".join(_command([name], 1)) + "\n"


def _command(words: list[str], level: int) -> list[str]:
    """The text about a command and, a level lower, about those below it."""
    told = _parsed(_help(*words))
    lines = [f"{'#' * level} `drugs-rs {' '.join(words)}`", "", *map(_escaped, told.about), ""]
    lines += ["```text", told.usage, "```", ""]
    for title, body in told.sections.items():
        if title in (GLOBAL, "Commands"):
            continue
        entries = _entries(body)
        if entries:
            lines += [f"**{title}**", "", *entries, ""]
    for name in _subcommands(told):
        lines += _command([*words, name], level + 1)
    return lines


def _help(*words: str) -> str:
    """What `drugs-rs help` prints about a command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRUGS_RS_")}
    command = [sys.executable, "-m", "drugs_rs", "help", *words]
    done = subprocess.run(
        command, env={**environment, "COLUMNS": str(WIDTH)}, stdout=subprocess.PIPE, check=True, timeout=60
    )
    return done.stdout.decode("utf-8")


def _parsed(text: str) -> Help:
    """Take a help text apart."""
    about: list[str] = []
    usage = ""
    sections: dict[str, list[str]] = {}
    body = about
    for line in text.splitlines():
        if line.startswith("Usage: "):
            usage, body = line[len("Usage: ") :], []
        elif re.match(r"^[A-Z][\w ]*:$", line):
            body = sections.setdefault(line[:-1], [])
        else:
            body.append(line)
    return Help(about, usage, sections)


def _subcommands(told: Help) -> dict[str, str]:
    """The commands below one, with what each does."""
    rows = (line.split(None, 1) for line in told.sections.get("Commands", []) if line.strip())
    return {name: about for name, about in rows if name != "help"}


def _entries(body: list[str]) -> list[str]:
    """Arguments and options as a list of definitions; `--help` is left out."""
    entries: list[Entry] = []
    for line in body:
        named = ENTRY.match(line)
        if named:
            entries.append(Entry(named["name"], []))
        elif entries:
            entries[-1].lines.append(line.strip())
        elif line.strip():
            return [_escaped(text) for text in body]
    lines = []
    for entry in entries:
        if entry.name.endswith("--help"):
            continue
        lines += [f"`{entry.name}`", "", *_definition(entry.lines), ""]
    return lines


def _definition(lines: list[str]) -> list[str]:
    """The text about an option, indented below it."""
    told: list[str] = []
    for line in lines:
        value = VALUES.match(line)
        item = re.match(r"^- (?P<word>[\w-]+):\s+(?P<meaning>.*)$", line)
        if value:
            told.append(f"{value['what'].capitalize()}: `{value['value']}`  ")
        elif item:
            told.append(f"- `{item['word']}`: {_escaped(item['meaning'])}")
        else:
            told.append(_escaped(line))
            if line == "Possible values:":
                told.append("")
    while told and not told[-1]:
        told.pop()
    return [(":   " if number == 0 else "    ") + line if line else "" for number, line in enumerate(told or ["–"])]


def _escaped(text: str) -> str:
    """A sentence of the help as Markdown: what is in backquotes stays, other signs mean themselves."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<>*_\[\]|])", r"\\\1", part) for part in parts)
