"""Lakes for the SQL models, one of each kind of trouble."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable

from changing_lake import Story
from written_sources import write, write_drugs, write_pubmed, write_trials

import drugs_rs

DAYS = 10
CASES = 60
# How many names in a row the texts for BigQuery and Spark join to the first one.
JOINED = 5
# Spellings whose order by bytes is not that of any language, several of them of one key.
SPELLINGS = (
    *("Annals", "ANNALS", "annals", "Ann. als", "Annals-B", "annals b", "Äpfel", "Apfel", "äpfel", "Zeta", "zeta"),
    *("Øre", "ore", "Ωmega", "The Lancet", "the lancet", "Lancet", "LANCET (London)", "Émile", "emile", "Œuvre"),
)
DRUGS = (("B01AA03", "WARFARIN"), ("N02BE01", "paracetamol"), ("N02BA01", "aspirin"), ("C01AA05", "Digoxin"))


def ten_days(folder: Path) -> Path:
    """Ten days of corrections and deletions, delivered out of order and some of them again; two are held, one no more.

    An eleventh day is later than what gold has reached.
    """
    chance = random.Random(20240301)
    story = Story(folder, chance, rows=24, settings={})
    lake = folder / "lake"
    dates = [story.date() for _ in range(DAYS)]
    later = story.date()
    order = chance.sample(dates, DAYS)
    again = chance.sample(dates, 4)
    for dt in (*order, *again):
        deliver(lake, story, dt)
    for dt in (order[3], order[5], order[7]):
        drugs_rs.hold(lake, dt, "a look at it")
    drugs_rs.release(lake, order[5])
    drugs_rs.gold(lake=lake, dt=max(order))
    deliver(lake, story, later)
    return lake


def deliver(lake: Path, story: Story, dt: str) -> None:
    """Deliver a date as far as silver."""
    sources = {**story.deliver(dt).arguments}
    drugs_rs.bronze(lake=lake, **sources)
    drugs_rs.silver(lake=lake, dt=dt)


def dirt(folder: Path) -> Path:
    """Three deliveries of made-up sources with the usual share of dirt, the second one late."""
    lake = folder / "lake"
    for delivery, dt in ((1, "2024-01-01"), (3, "2024-01-03"), (2, "2024-01-02")):
        made = folder / f"made{delivery}"
        drugs_rs.generate(
            made,
            articles=240,
            trials=90,
            drugs=60,
            journals=12,
            articles_format="pubmed-xml",
            delivery=delivery,
            of=3,
            changed=0.3,
        )
        drugs_rs.run(
            lake=lake, dt=dt, drugs=made / "drugs", pubmed=made / "pubmed", clinical_trials=made / "clinical_trials"
        )
    return lake


def issn(number: int) -> str:
    """An ISSN with its check digit."""
    digits = f"{number:07}"
    check = -sum(int(digit) * weight for digit, weight in zip(digits, range(8, 1, -1))) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if check == 10 else check}"


def medline(pmid: int, title: str, nlm_id: str | None, issns: list[str]) -> str:
    """A record of MEDLINE's text format."""
    lines = [f"PMID- {pmid}", f"TI  - Aspirin and warfarin {pmid}", "DP  - 2020", f"JT  - {title}"]
    lines += [f"JID - {nlm_id}"] if nlm_id else []
    return "\n".join([*lines, *(f"IS  - {one} (Linking)" for one in issns), "", ""])


def journals(folder: Path) -> Path:
    """Journals spelled in many ways, and small cases of ids that join names or do not, by chance; a date is held."""
    chance = random.Random(7)
    lake, number = folder / "lake", 0
    for dt in ("2024-02-01", "2024-02-02", "2024-02-03"):
        text = ""
        for case in range(CASES):
            for _ in range(4):
                number += 1
                name = chance.choice([f"J{case} {name}" for name in ("alpha", "Beta", "beta!", "gamma", "Äther", "b")])
                nlm_id = chance.choice([None, None, None, f"{case:06}0", f"{case:06}1"])
                issns = [issn(case * 10 + chance.randrange(4))] if chance.random() < 0.6 else []
                text += medline(number, chance.choice([name, name.upper(), name.lower()]), nlm_id, issns)
        for title in SPELLINGS:
            for _ in range(chance.randint(0, 2)):
                number += 1
                text += medline(number, title, None, [])
        trials = [(f"N{one}", "Digoxin", "2021", chance.choice(SPELLINGS)) for one in range(9)]
        drugs_rs.bronze(
            lake=lake,
            dt=dt,
            drugs=write_drugs(folder / "drugs.csv", *DRUGS),
            pubmed=write(folder / f"{dt}.txt", text),
            clinical_trials=write_trials(folder / f"{dt}.csv", *trials),
        )
        drugs_rs.silver(lake=lake, dt=dt)
    drugs_rs.hold(lake, "2024-02-02", "its ids join more")
    drugs_rs.gold(lake=lake, dt="2024-02-03")
    return lake


def chain(folder: Path, names: int) -> Path:
    """A lake in which ids join each name of a journal to the next: the last one is many steps from the first."""
    records = ((number + 1, number) for number in range(1, names))
    text = "".join(
        medline(2 * one + step, f"Journal {name:02}", None, [issn(one)])
        for one, names_of_id in enumerate(records, 1)
        for step, name in enumerate(names_of_id)
    )
    # The first name in the order of bytes is the most frequent one too.
    text += medline(1000, "Journal 01", None, []) + medline(1001, "Journal 01", None, [])
    source = write(folder / "chain.txt", text)
    drugs_rs.run(lake=folder / "lake", dt="2024-02-01", drugs=write_drugs(folder / "drugs.csv", *DRUGS), pubmed=source)
    return folder / "lake"


def vocabulary(folder: Path) -> Path:
    """Codes of several names, names that are several, substances of several codes, whatever the order of either."""
    drugs = write(
        folder / "drugs.csv",
        "atccode,drug,synonyms\nA10AB02,Insulin (beef),\nA10AB01,insulin (human),humulin\nB02,x | insulin,\n"
        "N02BE01,paracetamol,\nN02BE01,Acetaminophen,tylenol\na1,zinc,\nÄ1,Zinc sulfate,\nZ1,zinc (x),\n"
        "B03,a | C,\nB03,b,\nD01,zz,\nD01,øa,\nD01,ła,\nNONE,Digoxin,\n,nothing,\n",
    )
    pubmed = write_pubmed(
        folder / "pubmed.csv",
        ("1", "Humulin, insulin and tylenol", "2020", "Annals"),
        ("2", "Acetaminophen or paracetamol with zinc", "2020", "annals"),
        ("3", "Zinc sulfate, b, x, insulin (beef)", "2020", "Bulletin"),
        ("4", "Digoxin", "2020", ""),
        ("5", "Nothing, paracetamol, zz", "2020", "Bulletin"),
    )
    trials = write_trials(
        folder / "trials.csv", ("6", "Zinc and digoxin", "2020", "Annals"), ("7", "b", "2020", "Bulletin")
    )
    preprints = write_pubmed(folder / "preprints.csv", ("8", "Digoxin, insulin", "2020", "Bulletin"))
    drugs_rs.run(
        lake=folder / "lake",
        dt="2024-01-01",
        drugs=drugs,
        pubmed=pubmed,
        clinical_trials=trials,
        preprints=preprints,
    )
    return folder / "lake"


def notices(folder: Path) -> Path:
    """A notice beside a newer row of the same day, and a trial with the id of a deleted article."""
    article = (
        "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020</Year></PubDate>"
        "</JournalIssue><Title>Annals</Title></Journal><ArticleTitle>Warfarin</ArticleTitle></Article></MedlineCitation>"
        "</PubmedArticle>"
    )
    notice = "<DeleteCitation><PMID>{}</PMID></DeleteCitation>"
    drugs = write_drugs(folder / "drugs.csv", *DRUGS)
    trials = write_trials(folder / "trials.csv", ("5", "Warfarin", "2020", "Annals"))
    for dt, parts in (
        ("2024-01-01", (article.format(5), article.format(7) + notice.format(6), article.format(6))),
        ("2024-01-02", (article.format(8), notice.format(5), notice.format(7), article.format(7))),
    ):
        files = [
            write(folder / dt / f"{number}.xml", f"<PubmedArticleSet>{part}</PubmedArticleSet>")
            for number, part in enumerate(parts)
        ]
        first = dt == "2024-01-01"
        drugs_rs.run(lake=folder / "lake", dt=dt, drugs=drugs, pubmed=files, clinical_trials=trials if first else None)
    return folder / "lake"


def snapshots(folder: Path) -> Path:
    """Snapshots of each kind: two of trials, and of articles one that is held and one later than what gold has reached.

    Before the articles' snapshot an id joins two names of a journal, and an article is deleted. A delivery before it
    comes late. After it an article comes back, and one is deleted.
    """
    lake = folder / "lake"

    def deliver(dt: str, *, is_snapshot: bool = False, **sources: Path) -> None:
        # Such small lakes lose more than the usual 2 %.
        options: dict[str, object] = {"snapshot": True, "max_absent": "100%"} if is_snapshot else {}
        drugs_rs.bronze(lake=lake, dt=dt, **sources, **options)  # type: ignore[arg-type]
        drugs_rs.silver(lake=lake, dt=dt)

    def articles(name: str, *records: tuple[int, str, str | None]) -> Path:
        return write(folder / f"{name}.txt", "".join(medline(*record, []) for record in records))

    def trials(name: str, *ids: str) -> Path:
        return write_trials(folder / f"{name}.csv", *((one, f"Digoxin in {one}", "2021", "Bulletin") for one in ids))

    def preprints(name: str, *ids: str) -> Path:
        return write_pubmed(folder / f"{name}.csv", *((one, f"Paracetamol in {one}", "2022", "Server") for one in ids))

    def deletion(name: str, pmid: int) -> Path:
        notice = f"<DeleteCitation><PMID>{pmid}</PMID></DeleteCitation>"
        return write(folder / f"{name}.xml", f"<PubmedArticleSet>{notice}</PubmedArticleSet>")

    joined = ((1, "Annals", "0000010"), (2, "Zeitschrift", "0000010"), (3, "Zeitschrift", None))
    deliver(
        "2024-12-01",
        drugs=write_drugs(folder / "drugs.csv", *DRUGS),
        pubmed=articles("first", *joined, (4, "Annals", None), (5, "Annals", None)),
        clinical_trials=trials("first trials", "N1", "N2", "N3"),
        preprints=preprints("first preprints", "p1", "p2"),
    )
    deliver("2024-12-02", pubmed=deletion("early notice", 2))
    deliver("2024-12-02", clinical_trials=trials("few trials", "N1"), is_snapshot=True)
    kept = ((1, "Annals", None), (2, "Zeitschrift", None), (3, "Zeitschrift", None), (6, "Annals", None))
    deliver("2024-12-05", pubmed=articles("baseline", *kept), is_snapshot=True)
    deliver("2024-12-04", pubmed=articles("late", (7, "Annals", None), (1, "Bulletin", None)))
    deliver("2024-12-05", preprints=preprints("all preprints", "p2", "p3"), is_snapshot=True)
    deliver("2024-12-06", pubmed=articles("update", (4, "Zeitschrift", None), (8, "Annals", None)))
    deliver("2024-12-06", clinical_trials=trials("all trials", "N2", "N4"), is_snapshot=True)
    deliver("2024-12-07", pubmed=deletion("late notice", 6))
    deliver("2024-12-08", pubmed=articles("wrong", (9, "Annals", None)), is_snapshot=True)
    drugs_rs.hold(lake, "2024-12-08", "a daily file that was delivered as a snapshot")
    drugs_rs.gold(lake=lake, dt="2024-12-08")
    deliver("2024-12-09", pubmed=articles("next", (1, "Annals", None)), is_snapshot=True)
    return lake


LAKES: dict[str, Callable[[Path], Path]] = {
    "ten days": ten_days,
    "dirt": dirt,
    "journals": journals,
    "notices": notices,
    "snapshots": snapshots,
    "vocabulary": vocabulary,
}
