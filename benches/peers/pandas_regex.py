"""The whole pipeline in plain pandas: sources in, `drug_graph.json` and the two answers out.

It follows the rules of drugs_rs (docs/data-model.md, docs/matching.md) as far as these sources ask for them, in the way
a data engineer would write them: whole columns at a time where pandas has a word for it, and one compiled regular
expression a drug, run over every title. A title in which several drugs were found is looked at again, since the
longest name wins where two overlap.

It keeps no bronze and silver layer, counts nothing, reports nothing and holds every table in memory: all of that is
work which drugs_rs does in the same time.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
import uuid
from pathlib import Path
from typing import Any, Sequence

import numpy as np
import pandas as pd

KINDS = ("clinical_trial", "pubmed")

# Each accepted form: a regular expression with the part to parse, and its format. They are tried in turn. A
# form that fits but names no day (31/02/2020) is a bad date; nothing else is tried, because the forms exclude
# each other.
DATE_FORMS = (
    (r"(\d{4}-\d{1,2}-\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", "%Y-%m-%d"),
    (r"(\d{1,2}/\d{1,2}/\d{4})", "%d/%m/%Y"),
    (r"(\d{1,2}\.\d{1,2}\.\d{4})", "%d.%m.%Y"),
    (r"(\d{1,2} [A-Za-z]{3,9} \d{4})", "%d %B %Y"),
    (r"([A-Za-z]{3,9} \d{1,2}, \d{4})", "%B %d, %Y"),
    (r"(\d{4} [A-Za-z]{3} \d{1,2})", "%Y %b %d"),
    (r"(\d{4} [A-Za-z]{3})(?:-[A-Za-z]{3})?", "%Y %b"),
    (r"(\d{4}-\d{2})", "%Y-%m"),
    (r"(\d{4})(?:-\d{4})?", "%Y"),
)
SEASONS = {"Spring": "Mar", "Summer": "Jun", "Autumn": "Sep", "Fall": "Sep", "Winter": "Dec"}

ESCAPES = re.compile(r"((?:\\{1,2}x[0-9A-Fa-f]{2})+)( ?)")
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
APOSTROPHES = "\u2018\u2019\u02bc\u2032\u00b4`"
GREEK = {
    chr(code): unicodedata.name(chr(code)).rsplit(" ", 1)[1].lower()
    for code in range(0x391, 0x3CA)
    if unicodedata.name(chr(code), "").count(" ") == 3
}
FOLDS = str.maketrans(
    {
        **dict.fromkeys(DASHES, "-"),
        **dict.fromkeys(APOSTROPHES, "'"),
        **{chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)},
        **GREEK,
    }
)
# Accents, after NFD has separated them from their letters.
ACCENTS = "[\u0300-\u036f]"


def read(path: Path) -> pd.DataFrame:
    """A source as text columns: nothing is null, nothing is a number."""
    if path.suffix == ".json":
        # The one fault of JSON that is tolerated: a comma before the closing bracket.
        rows = json.loads(re.sub(r",(\s*\]\s*)$", r"\1", path.read_text(encoding="utf-8")))
        return pd.DataFrame(rows, dtype=object).fillna("").astype(str)
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def clean_text(column: pd.Series[str]) -> pd.Series[str]:
    escaped = column.str.contains("\\x", regex=False)
    column = column.mask(escaped, column[escaped].str.replace(ESCAPES, decode_escapes, regex=True))
    marked = column.str.contains("<", regex=False)
    column = column.mask(marked, column[marked].str.replace(MARKUP, "", regex=True))
    return column.str.normalize("NFC").str.replace(r"\s+", " ", regex=True).str.strip()


def decode_escapes(match: re.Match[str]) -> str:
    try:
        return bytes.fromhex(match[1].replace("\\", "").replace("x", "")).decode("utf-8") + match[2]
    except UnicodeDecodeError:
        # The blank after it goes too, unless only that blank separates two words.
        before = match.string[: match.start()][-1:]
        return match[2] if before.strip() else ""


def clean_dates(column: pd.Series[str]) -> pd.Series[str]:
    """ISO dates; blank where there is none or where it names no day. A partial date is its first day."""
    column = column.str.strip().replace(SEASONS, regex=True)
    dates = pd.Series("", index=column.index, dtype=column.dtype)
    for form, reading in DATE_FORMS:
        read_as = column.str.extract(f"^{form}$", expand=False).dropna()
        days = pd.to_datetime(read_as, format=reading, errors="coerce").dropna()
        dates.loc[days.index] = days.dt.strftime("%Y-%m-%d")
    return dates


def clean_publications(paths: Sequence[Path], kind: str) -> pd.DataFrame:
    """The kept publications of one kind: `id`, `title`, `date`, `journal`, each id once."""
    frames = [clean_source(read(path), kind) for path in paths]
    frame = pd.concat(frames, ignore_index=True)
    # Of rows with one id, the later one counts.
    frame = frame.drop_duplicates("id", keep="last", ignore_index=True)
    return frame.assign(kind=kind)


def clean_source(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    frame = frame.rename(columns={"scientific_title": "title"})
    cleaned = pd.DataFrame(
        {
            "id": frame["id"].str.strip(),
            "title": clean_text(frame["title"]),
            "date": clean_dates(frame["date"]),
            "journal": clean_text(frame["journal"]),
        }
    )
    merged = merge_halves(cleaned[cleaned["title"] != ""])
    unnamed = merged[merged["id"] == ""]
    # Not the UUIDs of drugs_rs, which only it needs to know; the comparison ignores them.
    contents = unnamed[["title", "date", "journal"]].to_numpy().tolist()
    made_up = [str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((kind, *content)))) for content in contents]
    merged.loc[unnamed.index, "id"] = made_up
    return merged


def merge_halves(frame: pd.DataFrame) -> pd.DataFrame:
    """Two rows of equal title and date, one without id and the other without journal, are one record."""
    halves = frame[(frame["id"] == "") != (frame["journal"] == "")]
    key = ["title", "date"]
    lacks_journal = halves[halves["journal"] == ""].reset_index().drop_duplicates(key)
    lacks_id = halves[halves["id"] == ""].reset_index().drop_duplicates(key)
    pairs = lacks_journal.merge(lacks_id, on=key, suffixes=("", "_other"))
    merged = frame.copy()
    merged.loc[pairs["index"], "journal"] = pairs["journal_other"].to_numpy()
    return merged.drop(index=pairs["index_other"].tolist())


def name_journals(publications: pd.DataFrame) -> pd.Series[str]:
    """Every journal in the most frequent spelling of its key (ties: the first in code-point order)."""
    spelling = publications["journal"]
    key = (
        spelling.str.normalize("NFD")
        .str.replace(ACCENTS, "", regex=True)
        .str.casefold()
        .str.replace(r"[\W_]+", " ", regex=True)
        .str.strip()
    )
    counts = pd.DataFrame({"key": key, "spelling": spelling}).value_counts().reset_index(name="count")
    counts = counts.sort_values(["count", "spelling"], ascending=[False, True])
    shown = counts.drop_duplicates("key").set_index("key")["spelling"]
    return key.map(shown)


def fold(column: pd.Series[str]) -> pd.Series[str]:
    """Text as names are compared, but for case, which the regular expressions ignore."""
    parted = column.str.normalize("NFD").str.replace(ACCENTS, "", regex=True)
    return parted.str.normalize("NFC").str.translate(FOLDS)


def read_drugs(path: Path) -> pd.DataFrame:
    """`atccode`, `drug` and every `spelling` it is known by, of which the first is its name."""
    frame = read(path)
    frame["drug"] = clean_text(frame["drug"])
    frame["atccode"] = frame["atccode"].str.strip()
    frame = frame[frame["drug"] != ""].drop_duplicates("atccode", ignore_index=True)
    synonyms = frame["synonyms"] if "synonyms" in frame else pd.Series("", index=frame.index)
    spellings = (frame["drug"] + "|" + synonyms).str.split("|")
    frame["spellings"] = [[name.strip() for name in names if name.strip()] for names in spellings]
    return frame[["atccode", "drug", "spellings"]]


def compile_names(names: Sequence[str]) -> re.Pattern[str]:
    """Any of the names as whole words, the longest first. Names are literal; blanks and dashes are equal."""
    words = (re.split(r"[\s-]+", name) for name in fold(pd.Series(names)))
    literals = sorted((r"[\s-]+".join(map(re.escape, parts)) for parts in words), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(literals)})(?![^\W_])", re.IGNORECASE)


def find_mentions(publications: pd.DataFrame, drugs: pd.DataFrame, prefilter: bool) -> pd.DataFrame:
    """One row for each (drug, publication): the drug's row and the publication's row."""
    titles = fold(publications["title"])
    patterns = [compile_names(names) for names in drugs["spellings"]]
    if prefilter:
        lowered = titles.str.lower()
        hits = [find_prefiltered(titles, lowered, *pair) for pair in zip(patterns, drugs["spellings"])]
    else:
        hits = [np.flatnonzero(titles.str.contains(pattern)) for pattern in patterns]
    found = pd.DataFrame(
        {"drug_row": np.repeat(np.arange(len(drugs)), [len(rows) for rows in hits]), "row": np.concatenate(hits)}
    )
    contested = found["row"].duplicated(keep=False)
    rivals: dict[Any, list[int]] = found[contested].groupby("row")["drug_row"].agg(list).to_dict()
    kept = [
        (drug_row, row)
        for row, drug_rows in rivals.items()
        for drug_row in settle(titles.iloc[row], {drug_row: patterns[drug_row] for drug_row in drug_rows})
    ]
    return pd.concat([found[~contested], pd.DataFrame(kept, columns=found.columns, dtype=int)], ignore_index=True)


def find_prefiltered(
    titles: pd.Series[str], lowered: pd.Series[str], pattern: re.Pattern[str], names: Sequence[str]
) -> np.ndarray[Any, Any]:
    """The same rows as `titles.str.contains(pattern)`, looking first for the letters of the longest word anywhere."""
    maybe = np.zeros(len(lowered), dtype=bool)
    for name in fold(pd.Series(names)).str.lower():
        maybe |= lowered.str.contains(max(re.split(r"[\s-]+", name), key=len), regex=False).to_numpy(dtype=bool)
    rows = np.flatnonzero(maybe)
    found: np.ndarray[Any, Any] = rows[titles.iloc[rows].str.contains(pattern).to_numpy(dtype=bool)]
    return found


def settle(title: str, patterns: dict[int, re.Pattern[str]]) -> set[int]:
    """The drugs in the title, where the leftmost and then the longest name counts."""
    spans = sorted(
        (match.start(), -match.end(), drug_row)
        for drug_row, pattern in patterns.items()
        for match in pattern.finditer(title)
    )
    kept: set[int] = set()
    taken, last = 0, (0, 0)
    for start, end, drug_row in spans:
        # A name with several codes is a mention of each: the same place, counted together.
        if start >= taken or (start, end) == last:
            kept.add(drug_row)
            taken, last = -end, (start, end)
    return kept


def build_graph(publications: pd.DataFrame, drugs: pd.DataFrame, mentions: pd.DataFrame) -> dict[str, Any]:
    graph: dict[str, Any] = {
        "drug": {
            row.atccode: {"name": row.drug, "clinical_trial_id": [], "pubmed_id": []} for row in drugs.itertuples()
        },
        "journal": {},
    }
    for kind in KINDS:
        of_kind = publications[publications["kind"] == kind]
        graph[kind] = {
            identifier: {"journal": journal or None, "date": date or None}
            for identifier, journal, date in zip(of_kind["id"], of_kind["journal"], of_kind["date"])
        }
    for (code, in_kind), identifiers in mentions.groupby(["atccode", "kind"])["id"]:
        graph["drug"][code][f"{in_kind}_id"] = sorted(identifiers)
    placed = mentions[mentions["journal"] != ""].sort_values(["journal", "date", "atccode"])
    for place, rows in placed.groupby("journal"):
        graph["journal"][place] = [
            {"drug": drug, "atccode": code, "date": date or None}
            for drug, code, date in zip(rows["drug"], rows["atccode"], rows["date"])
        ]
    return graph


def top_journals(mentions: pd.DataFrame) -> dict[str, int]:
    counts = mentions[mentions["journal"] != ""].groupby("journal")["atccode"].nunique()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return {str(journal): int(count) for journal, count in ordered}


def exclusive_drugs(drugs: pd.DataFrame, mentions: pd.DataFrame) -> dict[str, list[str]]:
    """For each drug, those of the journals with an article on it, less those of the journals with a trial on it."""
    placed = mentions[mentions["journal"] != ""]
    of_journal = placed.groupby("journal")["atccode"].agg(set).to_dict()
    journals = placed.groupby(["kind", "atccode"])["journal"].agg(set).to_dict()

    def neighbours(kind: str, code: str) -> set[str]:
        return set().union(*(of_journal[journal] for journal in journals.get((kind, code), ())))

    return {
        code: sorted(neighbours("pubmed", code) - neighbours("clinical_trial", code) - {code})
        for code in drugs["atccode"]
    }


def run(drugs: Path, pubmed: Sequence[Path], clinical_trials: Sequence[Path], out: Path, prefilter: bool) -> None:
    vocabulary = read_drugs(drugs)
    publications = pd.concat(
        [clean_publications(clinical_trials, "clinical_trial"), clean_publications(pubmed, "pubmed")],
        ignore_index=True,
    )
    publications["journal"] = name_journals(publications)
    found = find_mentions(publications, vocabulary, prefilter)
    mentions = found.join(vocabulary[["atccode", "drug"]], on="drug_row")
    mentions = mentions.join(publications[["id", "kind", "date", "journal"]], on="row")
    out.mkdir(parents=True, exist_ok=True)
    write(out / "drug_graph.json", build_graph(publications, vocabulary, mentions), sort_keys=True)
    write(out / "top_journals.json", top_journals(mentions), sort_keys=False)
    write(out / "exclusive_drugs.json", exclusive_drugs(vocabulary, mentions), sort_keys=True)


def write(path: Path, content: dict[str, Any], sort_keys: bool) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=sort_keys) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="The drug graph and its answers, by pandas and regular expressions.")
    parser.add_argument("--drugs", type=Path, required=True)
    parser.add_argument("--pubmed", type=Path, action="append", required=True, help="repeatable")
    parser.add_argument("--clinical-trials", type=Path, action="append", required=True, help="repeatable")
    parser.add_argument("--out", type=Path, required=True, help="folder for the three JSON files")
    parser.add_argument("--prefilter", action="store_true", help="look for a name's letters before its expression")
    options = parser.parse_args()
    run(options.drugs, options.pubmed, options.clinical_trials, options.out, options.prefilter)
    return 0


if __name__ == "__main__":
    sys.exit(main())
