"""Publications of a CSV or NDJSON file, read and cleaned in plain pandas: what the silver step does with them.

    python benches/peers/pandas_silver.py FILE KIND

The cleaning is that of `pandas_regex.py` beside it: text in NFC with single blanks, escapes and markup, dates in every
form that the file has, half rows joined, ids made up, duplicates dropped; and the key of each journal. It writes
nothing, checks nothing and keeps no rejected row, which drugs_rs all does in the same time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from pandas_regex import ACCENTS, clean_source


def main() -> int:
    path, kind = Path(sys.argv[1]), sys.argv[2]
    if path.suffix == ".ndjson":
        # Without guessing dates and numbers, which would take longer and change the values.
        frame = pd.read_json(path, lines=True, dtype=False).fillna("").astype(str)
    else:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    cleaned = clean_source(frame, kind).drop_duplicates("id", keep="last", ignore_index=True)
    cleaned["journal_key"] = (
        cleaned["journal"]
        .str.normalize("NFD")
        .str.replace(ACCENTS, "", regex=True)
        .str.casefold()
        .str.replace(r"[\W_]+", " ", regex=True)
        .str.strip()
    )
    print(len(cleaned))
    return 0


if __name__ == "__main__":
    sys.exit(main())
