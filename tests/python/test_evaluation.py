"""`make eval`: its corpora are read as they are annotated, and its scores are what they say."""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.core

EVALUATION = Path(__file__).resolve().parents[2] / "evaluation"


def load(name: str) -> ModuleType:
    """A module of `evaluation/`, which is a folder of programs and not a package."""
    spec = importlib.util.spec_from_file_location(f"evaluation_{name}", str(EVALUATION / f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpora = load("corpora")
scoring = load("scoring")

PUBTATOR = """\
11|t|Aspirin-like α-drugs: a note.
11|a|We gave aspirin and heparin\u2028sodium. None died.
11\t0\t7\tAspirin\tChemical\tD1
11\t38\t45\taspirin\tChemical\tD1
11\t50\t64\theparin\u2028sodium\tSmall_Molecule\tD2\tD2|D3
11\t71\t75\tdied\tDisease\tD4
11\tCID\tD1\tD4

12|t|
12|a|Only an abstract about warfarin.
12\t24\t32\twarfarin\tchemical\tD5
12\t1\t5\twarfarin\tchemical\tD5
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path


# --- Readers ---


@pytest.mark.parametrize("name", ["mini.PubTator.txt", "mini.pubtator", "deep/er/mini.txt"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_pubtator_file_is_title_blank_abstract(tmp_path: Path, name: str, line_end: str) -> None:
    write(tmp_path / name, PUBTATOR.replace("\n", line_end))
    [corpus] = corpora.find(tmp_path)
    assert [document.text for document in corpus.documents] == [
        "Aspirin-like α-drugs: a note. We gave aspirin and heparin\u2028sodium. None died.",
        " Only an abstract about warfarin.",
    ]
    assert corpus.gold() == [[((0, 7),), ((38, 45),), ((50, 64),)], [((24, 32),)]]
    # The last line names a text that is not at its place.
    assert corpus.displaced == 1


def test_a_packed_pubtator_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mini.PubTator.txt.gz").write_bytes(gzip.compress(PUBTATOR.encode("utf-8")))
    [corpus] = corpora.find(tmp_path)
    assert corpus.name == "mini"
    assert len(corpus.documents) == 2


def test_a_text_file_that_is_no_pubtator_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "notes.txt", "a|b|c\n11|t|late title\n")
    write(tmp_path / "empty.pubtator", "")
    with pytest.raises(corpora.MissingError, match="no annotated corpus"):
        corpora.find(tmp_path)


def test_brat_pairs_of_a_folder_are_one_corpus(tmp_path: Path) -> None:
    write(tmp_path / "set" / "one.txt", "Beta and gamma blockers.\nAcetyl salicylic\nacid, β-carotene.\n")
    annotations = [
        "T1\tChemical 0 4;15 23\tBeta blockers",
        "T2\tDRUG 9 23\tgamma blockers",
        "T3\tChemical 25 41;42 46\tAcetyl salicylic acid",
        "T4\tChemical 48 58\tβ-carotene",
        "T5\tDisease 0 4\tBeta",
        "R1\tInteraction Arg1:T1 Arg2:T2",
        "#1\tAnnotatorNotes T1\tT9\tChemical 0 4",
    ]
    write(tmp_path / "set" / "one.ann", "\n".join(annotations) + "\n")
    write(tmp_path / "set" / "two.txt", "Nothing.")
    write(tmp_path / "set" / "two.ann", "")
    write(tmp_path / "set" / "lonely.ann", "T1\tChemical 0 4\tBeta\n")
    [corpus] = corpora.find(tmp_path)
    assert corpus.name == "set"
    assert [document.identifier for document in corpus.documents] == ["one", "two"]
    # T3 is interrupted only by a line end, so it is one piece; T1 has a gap.
    assert corpus.gold() == [[((0, 4), (15, 23)), ((9, 23),), ((25, 46),), ((48, 58),)], []]
    assert corpus.gold(("disease",)) == [[((0, 4),)], []]
    assert corpus.displaced == 0


def test_brat_offsets_count_both_characters_of_a_line_end(tmp_path: Path) -> None:
    write(tmp_path / "one.txt", "A line\r\nwith warfarin\r\n")
    write(tmp_path / "one.ann", "T1\tDrug 13 21\twarfarin\r\n")
    [corpus] = corpora.find(tmp_path)
    assert corpus.gold() == [[((13, 21),)]]


def test_a_broken_file_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "good.pubtator", PUBTATOR)
    (tmp_path / "bad.pubtator").write_bytes(b"1|t|na\xefve\n")
    write(tmp_path / "odd" / "one.txt", "word")
    write(tmp_path / "odd" / "one.ann", "T1\tChemical zero 4\tword\n")
    assert [corpus.name for corpus in corpora.find(tmp_path)] == ["good"]
    said = capsys.readouterr().err
    assert "bad.pubtator: left out" in said
    assert "odd: left out" in said


@pytest.mark.parametrize("kind", ["Chemical", "CHEMICAL", "SmallMolecule", "small-molecule", "Drug_N", "BRAND"])
def test_types_are_compared_without_case_and_signs(kind: str) -> None:
    document = corpora.Document("1", "aspirin", [(kind, ((0, 7),)), ("Gene", ((0, 2),))])
    assert corpora.Corpus("one", [document]).gold() == [[((0, 7),)]]


def test_without_corpora_there_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    command = [sys.executable, str(EVALUATION / "corpora.py"), "--corpora", str(tmp_path / "absent")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "set DRUGS_RS_CORPORA" in answer.stderr


def test_the_real_corpora_are_read_whole(corpora_folder: Path) -> None:
    """Every annotation holds the text that it names, and BC5CDR has the number of mentions that it says it has."""
    found = {corpus.name.split("/")[-1]: corpus for corpus in corpora.find(corpora_folder)}
    if "CDR_DevelopmentSet" not in found:
        pytest.skip(f"no BC5CDR development set in {corpora_folder}")
    development = found["CDR_DevelopmentSet"]
    assert len(development.documents) == 500
    assert sum(map(len, development.gold())) == 5347
    assert development.displaced == 0


@pytest.fixture
def corpora_folder(corpora: Path) -> Path:
    """The fixture of `conftest.py` under a name that the module `corpora` does not hide."""
    return corpora


# --- Scores ---


@pytest.mark.parametrize(
    ("gold", "found", "strict", "overlap", "remark"),
    [
        ([(0, 5)], [(0, 5)], 1, 1, "the same"),
        ([(0, 5)], [(0, 6)], 0, 1, "one letter more"),
        ([(0, 5)], [(4, 9)], 0, 1, "one letter in common"),
        ([(0, 5)], [(5, 9)], 0, 0, "neighbours have nothing in common"),
        ([(0, 15)], [(0, 9), (10, 15)], 0, 1, "two found in one annotated: one of them is too many"),
        ([(0, 9), (10, 15)], [(0, 15)], 0, 1, "one found over two annotated: one of them is missed"),
        ([(0, 9), (8, 15)], [(0, 15), (0, 3)], 0, 2, "the wide one is left for whom nothing else fits"),
        ([(0, 15), (0, 3)], [(0, 9), (8, 15)], 0, 2, "the same the other way round"),
        ([(0, 5), (0, 5)], [(0, 5), (0, 5)], 1, 1, "what stands twice counts once"),
        ([], [(0, 5)], 0, 0, "nothing is annotated"),
        ([(0, 5)], [], 0, 0, "nothing is found"),
    ],
)
def test_hits(
    gold: list[tuple[int, int]], found: list[tuple[int, int]], strict: int, overlap: int, remark: str
) -> None:
    wanted, given = ([[(fragment,) for fragment in side]] for side in (gold, found))
    assert scoring.strict(wanted, given) == (strict, len(set(found)), len(set(gold))), remark
    assert scoring.overlap(wanted, given) == (overlap, len(set(found)), len(set(gold))), remark


def test_a_mention_with_a_gap_is_hit_by_its_pieces_and_never_by_what_lies_between() -> None:
    gold = [[((0, 4), (15, 23))]]
    assert scoring.strict(gold, gold).hits == 1
    assert scoring.strict(gold, [[((0, 23),)]]).hits == 0
    assert scoring.overlap(gold, [[((15, 23),)]]).hits == 1
    assert scoring.overlap(gold, [[((5, 14),)]]).hits == 0


def test_documents_are_added_up_and_never_mixed() -> None:
    gold = [[((0, 5),)], [((7, 9),), ((10, 12),)], []]
    found = [[((7, 9),)], [((7, 9),)], [((0, 5),)]]
    score = scoring.strict(gold, found)
    assert (score.precision, score.recall, score.f1) == (
        pytest.approx(1 / 3),
        pytest.approx(1 / 3),
        pytest.approx(1 / 3),
    )
    with pytest.raises(ValueError, match="3 annotated documents"):
        scoring.strict(gold, found[:2])


def test_no_share_of_nothing_fails() -> None:
    empty = scoring.strict([[]], [[]])
    assert (empty.precision, empty.recall, empty.f1) == (0.0, 0.0, 0.0)


def test_errors_are_counted_by_word() -> None:
    texts = ["Aspirin, ASPIRIN and tranexamic\n acid", "beta and gamma blockers"]
    gold = [[((0, 7),), ((9, 16),), ((21, 37),)], [((0, 4), (15, 23))]]
    found = [[((17, 20),)], []]
    assert scoring.top(scoring.misses(texts, gold, found), 3) == [
        (2, "aspirin"),
        (1, "beta … blockers"),
        (1, "tranexamic acid"),
    ]
    assert scoring.top(scoring.false_hits(texts, gold, found), 3) == [(1, "and")]


# --- Workers ---


@pytest.mark.parametrize(
    ("options", "spans"),
    [
        ([], [[[4, 15], [17, 20], [26, 29]], [], [[0, 7]]]),
        (["--columns"], [[[4, 15], [17, 20], [26, 29]], [], [[0, 7]]]),
        (["--no-abbreviations"], [[[4, 15]], [], [[0, 7]]]),
    ],
)
def test_our_worker_answers_a_job(tmp_path: Path, options: list[str], spans: list[list[list[int]]]) -> None:
    """The spans are code points, and `find` and `find_many` return the same ones."""
    texts = ["𝛼𝛽, doxorubicin (DOX), so DOX", "nothing", "Aspirin"]
    names = {"L": ["doxorubicin"], "B": ["aspirin"]}
    job, answer = tmp_path / "job.json", tmp_path / "answer.json"
    job.write_text(json.dumps({"names": names, "corpora": [texts, []], "repeat": 2}), encoding="utf-8")
    worker = EVALUATION / "workers" / "drugs_rs_find.py"
    subprocess.run([sys.executable, str(worker), str(job), str(answer), *options], check=True)
    content = json.loads(answer.read_text(encoding="utf-8"))
    assert [corpus["spans"] for corpus in content["corpora"]] == [spans, []]
    assert content["build_seconds"] > 0
    assert content["peak_bytes"] > 1_000_000


# --- Roles ---

STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT01", "briefTitle": "Alpha or nothing"},
        "statusModule": {"startDateStruct": {"date": "2024-01"}},
        "armsInterventionsModule": {
            "armGroups": [
                {"label": "A", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Alpha"]},
                {"label": "B", "type": "ACTIVE_COMPARATOR", "interventionNames": ["Drug: Beta"]},
            ],
            "interventions": [
                {"type": "DRUG", "name": "Alpha", "armGroupLabels": ["A"]},
                {"type": "DRUG", "name": "Beta", "armGroupLabels": ["B"]},
            ],
        },
    }
}


def compare_roles(folder: Path, alpha: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run the program with a reading that has two interventions right and Gamma, which the study lacks, besides."""
    reading = [
        {"name": "Alpha", "roles": alpha},
        {"name": " Beta", "roles": ["active_comparator"]},
        {"name": "Gamma", "roles": ["other"]},
    ]
    judgements = {"sample": {"NCT01": reading[:2]}, "several_arms": {"NCT01": reading}}
    write(folder / "roles.json", json.dumps(judgements))
    command = [sys.executable, str(EVALUATION / "roles.py"), "--corpora", str(folder / "data")]
    command += ["--judgements", str(folder / "roles.json"), *options]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_roles_are_compared_with_a_reading(tmp_path: Path) -> None:
    write(tmp_path / "data" / "deep" / "studies.json", json.dumps([STUDY]))
    write(tmp_path / "data" / "other.json", "[1, 2]")
    answer = compare_roles(tmp_path, ["experimental"], "--check")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "| sample | 1 | 2 | 2 | 100.0% |" in answer.stdout
    assert "| several_arms | 1 | 3 | 2 | 66.7% |" in answer.stdout
    assert "| other | 1 | 0 | 0 | – | 0.0% |" in answer.stdout
    assert "- NCT01, Gamma: judged other, given no such intervention\n" in answer.stdout


def test_other_roles_than_the_judged_ones_miss_the_reach(tmp_path: Path) -> None:
    write(tmp_path / "data" / "studies.json", json.dumps([STUDY]))
    answer = compare_roles(tmp_path, ["experimental", "other"], "--check")
    assert answer.returncode == 1
    assert "- NCT01, Alpha: judged experimental, other, given experimental\n" in answer.stdout
    assert answer.stdout.endswith("measured 50.0%: not met\n")
    assert compare_roles(tmp_path, ["experimental", "other"]).returncode == 0


def test_without_the_judged_studies_there_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    answer = compare_roles(tmp_path, [])
    assert answer.returncode == 2
    assert "1 of the judged studies" in answer.stderr and "NCT01" in answer.stderr


def test_all_judged_studies_are_in_the_real_corpora(corpora_folder: Path) -> None:
    if not any(corpora_folder.rglob("ctgov_api_v2.json")):
        pytest.skip(f"no studies of the API in {corpora_folder}")
    command = [sys.executable, str(EVALUATION / "roles.py"), "--check", "--corpora", str(corpora_folder)]
    answer = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "| sample | 30 | 49 |" in answer.stdout


# --- Gaps ---

ATC = "atc_code,atc_name,ddd,uom,adm_r,note\nA04AD12,aprepitant,NA,NA,NA,NA\nL04AA01,ciclosporin,NA,NA,NA,NA\n"
NEWER = ATC + (
    "L01EX99,zongertinib,NA,NA,NA,NA\nN07XX99,pridopidine,NA,NA,NA,NA\n"
    "L04AA99,ciclosporin and vimseltinib,NA,NA,NA,NA\n"
    "J07BX99,smallpox vaccines,NA,NA,NA,NA\nB03AB99,abc,NA,NA,NA,NA\n"
)
ARTICLES = """<PubmedArticleSet>{}</PubmedArticleSet>"""
ARTICLE = (
    "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article><Journal><JournalIssue><PubDate><Year>1979</Year></PubDate>"
    "</JournalIssue><Title>Annals</Title></Journal><ArticleTitle>{}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
)


def measure_gaps(folder: Path, judged: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the program on two vocabularies and two articles."""
    write(folder / "data" / "deep" / "who_atc_2025-01-01.csv", ATC)
    write(folder / "data" / "deep" / "who_atc_2026-01-01.csv", NEWER)
    articles = ARTICLES.format(ARTICLE.format(1, "Macromomycin") + ARTICLE.format(2, "Bacillomycin"))
    (folder / "data" / "pubmed20n0001.xml.gz").write_bytes(gzip.compress(articles.encode("utf-8")))
    write(folder / "judged.tsv", judged)
    command = [sys.executable, str(EVALUATION / "gaps.py"), "--corpora", str(folder / "data"), *options]
    command += ["--judgements", str(folder / "judged.tsv"), "--out", str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_gaps_are_compared_with_newer_names_and_judgements(tmp_path: Path) -> None:
    judged = "# name, verdict, reason\nMacromomycin\tyes\nbacillomycin\tno\tnot developed\n"
    answer = measure_gaps(tmp_path, judged)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "## 4 INN of who_atc_2026-01-01.csv that are not in who_atc_2025-01-01.csv" in answer.stdout
    assert "| all of them in one lake | 3 | 0.750 |" in answer.stdout
    assert "- in none of the titles: abc\n" in answer.stdout
    assert "| inn_stem | 2 | 1 | 0.500 |" in answer.stdout and "- no drugs: Bacillomycin\n" in answer.stdout
    assert answer.stdout.count("| no |") == 2
    assert (tmp_path / "out" / "gaps.md").read_text(encoding="utf-8") == answer.stdout
    assert measure_gaps(tmp_path, judged, "--check").returncode == 1


def test_a_gap_that_nobody_judged_is_no_drug(tmp_path: Path) -> None:
    answer = measure_gaps(tmp_path, "Macromomycin\tyes\n")
    assert "- not judged, so counted as no drugs: Bacillomycin\n" in answer.stdout


def test_without_two_vocabularies_there_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    command = [sys.executable, str(EVALUATION / "gaps.py"), "--corpora", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert answer.returncode == 2 and "who_atc_<date>.csv" in answer.stderr


def test_the_gaps_of_the_real_corpora_reach_what_is_asked(corpora_folder: Path, tmp_path: Path) -> None:
    if len([*corpora_folder.rglob("who_atc_*.csv")]) < 2 or not any(corpora_folder.rglob("pubmed20n0014.xml.gz")):
        pytest.skip(f"no two releases of WHO ATC, or no baseline file of PubMed, in {corpora_folder}")
    command = [sys.executable, str(EVALUATION / "gaps.py"), "--check", "--corpora", str(corpora_folder)]
    command += ["--out", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "not judged" not in answer.stdout
