"""Files like one of PubMed's, each with articles of its own: a delivery does not say the same thing eight times.

    python benches/renumbered.py FILE COUNT FOLDER

A process of its own: whoever measures the memory of others must hold little itself.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path


def main() -> int:
    text = gzip.decompress(Path(sys.argv[1]).read_bytes())
    for number in range(int(sys.argv[2])):

        def other(found: re.Match[bytes], first: int = number * 50_000_000) -> bytes:
            return found[1] + str(int(found[2]) + first).encode()

        changed = re.sub(rb'(<PMID Version="\d+">)(\d+)', other, text)
        Path(sys.argv[3], f"{number:04}.xml.gz").write_bytes(gzip.compress(changed, compresslevel=6))
    return 0


if __name__ == "__main__":
    sys.exit(main())
