"""The fenced code blocks of a Markdown page, with their lines, so that the tests run what readers copy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, NamedTuple

FENCE = re.compile(r"^(?P<indent> {0,3})```(?P<words>[^`]*)$")
# The line above a block that the tests skip gives the reason: <!-- not run: it needs a cluster -->
NOT_RUN = re.compile(r"<!--\s*not run:\s*(?P<reason>.+?)\s*-->")


class Block(NamedTuple):
    """One block: its language, its text, the line where the text begins, and why it is not run, if it is not."""

    language: str
    text: str
    line: int
    not_run: str | None


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    remark = ""
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if not opened:
            remark = lines[number] or remark
            number += 1
            continue
        start = number + 1
        number = start
        while number < len(lines) and lines[number].strip() != "```":
            number += 1
        indent = len(opened["indent"])
        text = "".join(f"{line[indent:]}\n" for line in lines[start:number])
        reason = NOT_RUN.search(remark)
        language = (opened["words"].split() or [""])[0]
        yield Block(language, text, start + 1, reason["reason"] if reason else None)
        remark = ""
        number += 1
