"""Which objects bronze takes for a folder or a glob in a bucket: the core's rule, for those who wait for them.

The core is not asked, for sensors and triggers never load it; a test holds both against each other.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Sequence


def taken(name: str, wanted: str) -> bool:
    """Say whether bronze takes the object ``name`` for ``wanted``, a folder or a glob."""
    *folders, file = name.split("/")
    if name == wanted and file:
        return True
    if not file or file.startswith((".", "_")):
        return False
    *above, last = wanted.split("/")
    # A folder means the files directly in it.
    return folders == above if not last else _matches([*folders, file], [*above, last])


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Match part by part, for ``*`` does not go over slashes; ``**`` does, as a part of its own."""
    if not pattern:
        return not parts
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        return bool(parts) if not rest else any(_matches(parts[at:], rest) for at in range(len(parts)))
    return bool(parts) and fnmatchcase(parts[0], first) and _matches(parts[1:], rest)
