"""The whole DAG, in one process: what comes out, twice, out of order, and with a day that fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import SOURCES, settings_of
from lake_state import GOLD_FILES, hashes, leftovers, stamps
from running import returned, run, run_without_airflow

DAY = "2024-03-01"


def gold(lake: Path) -> dict[str, bytes]:
    """The three published files."""
    return {name: (lake / "gold" / name).read_bytes() for name in GOLD_FILES}


def from_the_shell(samples: Path, lake: Path) -> dict[str, bytes]:
    """What the command makes of the sample, which `tests/python` holds against golden files."""
    words = ["run", "--out", str(lake), "--dt", DAY, "--quiet"]
    for name, file in SOURCES.items():
        words += ["--" + name.split("_")[0].replace("clinical", "clinical-trials"), str(samples / file)]
    subprocess.run([sys.executable, "-m", "drugs_rs", *words], check=True, timeout=120)
    return gold(lake)


def all_succeeded(states: dict[str, str]) -> bool:
    assert set(states.values()) == {"success"}, states
    return len(states) == 15


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_the_sample_gives_what_the_command_gives_and_again_the_same_bytes(
    isolation: str, make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    dag = make_dag(**settings_of(samples, lake, isolation=isolation))
    assert all_succeeded(run(dag, DAY))
    assert gold(lake) == from_the_shell(samples, tmp_path / "shell")
    report = returned(dag, DAY, "drug_graph_gold")
    assert (report["step"], report["mentions"], report["as_of"]) == ("gold", 23, DAY)
    assert json.loads(Path(report["report_uri"]).read_text(encoding="utf-8"))["mentions"] == 23
    answer = returned(dag, DAY, "top_journals_gold")
    assert (answer["entries"], len(answer["first_place"]), set(answer["first_place"].values())) == (6, 2, {3})
    judged = returned(dag, DAY, "silver_quality")
    assert judged["tables"]["clinical_trials"]["rows_rejected"] == 1
    before = stamps(lake)
    assert all_succeeded(run(dag, DAY))
    assert stamps(lake) == before, "a second run writes nothing"
    assert leftovers(lake) == {}


def test_the_first_four_files_give_what_is_expected(
    make_dag: Callable[..., Any], corpora: Path, tmp_path: Path
) -> None:
    folder = corpora / "servier"
    assert all_succeeded(run(make_dag(**settings_of(folder, tmp_path / "lake")), "2020-06-01"))
    found = {name: json.loads(content.decode("utf-8")) for name, content in gold(tmp_path / "lake").items()}
    for name in ("top_journals", "exclusive_drugs"):
        wanted = json.loads((folder / "expected" / (name + ".json")).read_text(encoding="utf-8"))
        assert found[name + ".json"] == wanted
    assert list(found["top_journals.json"]) == list(
        json.loads((folder / "expected" / "top_journals.json").read_text(encoding="utf-8"))
    ), "largest first, ties in name order"
    wanted = json.loads((folder / "expected" / "mentions.json").read_text(encoding="utf-8"))
    known = {row["publication_id"] for row in wanted}
    graph, seen = found["drug_graph.json"], set()
    for code, drug in graph["drug"].items():
        for kind in ("clinical_trial", "pubmed"):
            for each in drug[kind + "_id"]:
                place = graph[kind][each]
                shown = each if each in known else "<synthetic>"
                seen.add((code, drug["name"], kind, shown, place["date"], place["journal"]))
    keys = ("atccode", "drug", "kind", "publication_id", "date", "journal")
    assert seen == {tuple(row[key] for key in keys) for row in wanted}


def deliveries(folder: Path, samples: Path) -> dict[str, str]:
    """Three days of deliveries: the sample, a day with a title of the sample in a new state, one with a new drug."""
    for number, day in enumerate(("2024-03-01", "2024-03-02", "2024-03-03")):
        shutil.copytree(str(samples), str(folder / day))
        rows = (
            "id,title,date,journal\n"
            f"{900 + number},Metformin on day {number},0{number + 1}/03/2024,Daily Letters\n"
            f"900,Warfarin replaces it on day {number},0{number + 1}/03/2024,Daily Letters\n"
        )
        (folder / day / "pubmed.csv").write_text(rows, encoding="utf-8")
        with (folder / day / "drugs.csv").open("a", encoding="utf-8") as file:
            file.write(f"\nX0{number}AA01,NEWDRUG{number}\n")
    return {name: str(folder / "{dt}" / file) for name, file in SOURCES.items()}


def test_days_in_any_order_give_the_same(make_dag: Callable[..., Any], samples: Path, tmp_path: Path) -> None:
    sources = deliveries(tmp_path / "landing", samples)
    days = ("2024-03-01", "2024-03-02", "2024-03-03")
    run_without_airflow(sources, tmp_path / "ordered", days)
    dag = make_dag(**{**settings_of(samples, tmp_path / "mixed"), **sources})
    for day in (days[2], days[0], days[1]):
        assert all_succeeded(run(dag, day))
    assert gold(tmp_path / "mixed") == gold(tmp_path / "ordered")
    for layer in ("bronze", "silver", "gold"):
        assert hashes(tmp_path / "mixed", layer) == hashes(tmp_path / "ordered", layer)


def test_the_parameter_goes_before_the_logical_date(
    make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    dag = make_dag(**settings_of(samples, tmp_path / "lake"))
    assert all_succeeded(run(dag, "2024-05-05", {"dt": DAY}))
    assert sorted(path.name for path in (tmp_path / "lake" / "bronze" / "drugs").iterdir()) == [f"dt={DAY}"]


def test_a_source_that_does_not_come_fires_the_callbacks_and_leaves_the_lake_untouched(
    make_dag: Callable[..., Any],
    heard: Callable[..., list[dict[str, Any]]],
    samples: Path,
    tmp_path: Path,
) -> None:
    lake, said = tmp_path / "lake", tmp_path / "said"
    settings = settings_of(samples, lake)
    run(make_dag(**settings), DAY)
    before = stamps(lake)
    settings.update(
        pubmed_b=str(tmp_path / "nothing.json"),
        sensor_timeout_hours=0.0,
        notifiers=[
            {"class": "notifiers.Broken"},
            {
                "class": "notifiers.ToFile",
                "arguments": {"path": str(said), "text": "{{ alert.kind }} {{ alert.task_id }}; "},
            },
        ],
    )
    states = run(make_dag(**settings), "2024-03-02")
    assert states["pubmed_b_sensor"] == "failed"
    assert {states[task] for task in states if not task.endswith("_sensor")} == {"upstream_failed"}
    assert stamps(lake) == before
    (alert,) = heard()
    assert (alert["kind"], alert["task_id"]) == ("failure", "pubmed_b_sensor")
    (ended,) = heard("run")
    assert (ended["reason"], ended["dt"]) == ("task_failure", "2024-03-02")
    assert "set DRUGS_RS_PUBMED_B in the environment" in alert["hint"]
    assert "DRUGS_RS_SENSOR_TIMEOUT_HOURS" in alert["hint"]
    assert said.read_text(encoding="utf-8") == "failure pubmed_b_sensor; run ; ", (
        "one notifier fails, the next is called all the same"
    )


def test_a_file_that_cannot_be_read_stops_before_gold(
    make_dag: Callable[..., Any], heard: Callable[..., list[dict[str, Any]]], samples: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    run(make_dag(**settings_of(samples, lake)), DAY)
    before = hashes(lake, "gold")
    broken = tmp_path / "broken.json"
    broken.write_text('[{"id": 1, "title": "cut', encoding="utf-8")
    states = run(make_dag(**{**settings_of(samples, lake), "pubmed_b": str(broken)}), "2024-03-02")
    assert states["pubmed_silver"] == "failed"
    assert states["drug_graph_gold"] == "upstream_failed"
    assert hashes(lake, "gold") == before
    (alert,) = heard()
    assert "broken.json" in alert["message"] and alert["dt"] == "2024-03-02"


def test_the_gate_keeps_a_poor_day_from_the_graph(
    make_dag: Callable[..., Any],
    heard: Callable[..., list[dict[str, Any]]],
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = tmp_path / "lake"
    dag = make_dag(**settings_of(samples, lake, max_rejected_share=0.01))
    monkeypatch.setenv("AIRFLOW_VAR_DRUGS_RS", '{"min_rows": 12}')  # after the DAG was loaded
    states = run(dag, DAY)
    assert (states["silver_quality"], states["drug_graph_gold"]) == ("failed", "upstream_failed")
    assert not (lake / "gold").exists()
    held = json.loads((lake / "silver" / "held" / f"dt={DAY}.json").read_text(encoding="utf-8"))
    (alert,) = heard()
    assert alert["dt"] == DAY
    assert held["reason"] in alert["message"]
    assert "clinical_trials: 1 of 8 rows rejected, 12.5 % and at most 1.0 % pass" in alert["message"]
    assert "drugs: 11 rows kept, expected at least 12" in alert["message"]
    assert "`max_rejected_share` in the Airflow Variable `drugs_rs`" in alert["message"]


def test_a_day_whose_vocabulary_is_red_is_held_from_the_days_behind_it(
    make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    """The gate never ran for such a day, and the next day's gold took its articles in."""
    days = ("2024-03-01", "2024-03-02")
    sources = deliveries(tmp_path / "landing", samples)
    run_without_airflow(sources, tmp_path / "without", days[1:])
    vocabulary = tmp_path / "landing" / days[0] / "drugs.csv"
    good = vocabulary.read_text(encoding="utf-8")
    vocabulary.write_text("code;label\n", encoding="utf-8")
    lake = tmp_path / "lake"
    dag = make_dag(**{**settings_of(samples, lake), **sources})
    states = run(dag, days[0])
    assert (states["drugs_silver"], states["pubmed_silver"]) == ("failed", "success")
    assert (states["silver_quality"], states["drug_graph_gold"]) == ("upstream_failed", "upstream_failed")
    held = lake / "silver" / "held" / f"dt={days[0]}.json"
    assert "not judged yet" in held.read_text(encoding="utf-8")
    assert all_succeeded(run(dag, days[1]))
    assert hashes(lake, "gold") == hashes(tmp_path / "without", "gold")

    vocabulary.write_text(good, encoding="utf-8")
    assert all_succeeded(run(dag, days[0]))
    assert not held.exists()


POOR = "id,title,date,journal\n901,Metformin in a poor delivery,2024,Letters\n" + "902,,2024,Letters\n" * 40


def test_a_poor_day_is_held_back_from_the_days_behind_it_until_it_is_delivered_better(
    make_dag: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    samples: Path,
    tmp_path: Path,
) -> None:
    days = ("2024-03-01", "2024-03-02", "2024-03-03")
    sources = deliveries(tmp_path / "landing", samples)
    run_without_airflow(sources, tmp_path / "good", days)
    run_without_airflow(sources, tmp_path / "without", (days[0], days[2]))

    lake, articles = tmp_path / "lake", tmp_path / "landing" / days[1] / "pubmed.csv"
    good = articles.read_text(encoding="utf-8")
    articles.write_text(POOR, encoding="utf-8")
    dag = make_dag(**{**settings_of(samples, lake), **sources})
    assert all_succeeded(run(dag, days[0]))
    states = run(dag, days[1])
    assert (states["pubmed_silver"], states["silver_quality"], states["drug_graph_gold"]) == (
        "success",
        "failed",
        "upstream_failed",
    )
    caplog.clear()
    assert all_succeeded(run(dag, days[2]))
    assert hashes(lake, "gold") == hashes(tmp_path / "without", "gold")
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(f"dt={days[1]} is held back, and gold leaves it out: " in line for line in told)
    assert [date["dt"] for date in returned(dag, days[2], "drug_graph_gold")["held"]] == [days[1]]

    before = hashes(lake, "silver", "gold")
    assert run(dag, days[1])["silver_quality"] == "failed", "cleared with nothing new, it is held back still"
    assert hashes(lake, "silver", "gold") == before
    articles.write_text(good, encoding="utf-8")
    assert all_succeeded(run(dag, days[1]))
    assert returned(dag, days[1], "silver_quality")["released"] is True
    assert not list((lake / "silver" / "held").iterdir())
    assert hashes(lake, "gold") == hashes(tmp_path / "good", "gold")


def test_an_old_day_that_was_delivered_again_and_worse_leaves_with_the_next_gold(
    make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    days = ("2024-03-01", "2024-03-02", "2024-03-03")
    sources = deliveries(tmp_path / "landing", samples)
    run_without_airflow(sources, tmp_path / "without", (days[0], days[2]))
    lake = tmp_path / "lake"
    dag = make_dag(**{**settings_of(samples, lake), **sources})
    for day in days[:2]:
        assert all_succeeded(run(dag, day))
    before = hashes(lake, "gold")
    (tmp_path / "landing" / days[1] / "pubmed.csv").write_text(POOR, encoding="utf-8")
    assert run(dag, days[1])["silver_quality"] == "failed"
    assert hashes(lake, "gold") == before, "the gate makes nothing anew"
    assert all_succeeded(run(dag, days[2]))
    assert hashes(lake, "gold") == hashes(tmp_path / "without", "gold")


def test_an_answer_that_is_not_the_graph_s_is_refused(
    make_dag: Callable[..., Any], heard: Callable[..., list[dict[str, Any]]], samples: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    dag = make_dag(**settings_of(samples, lake))
    run(dag, DAY)
    answer = lake / "gold" / "top_journals.json"
    answer.write_bytes(answer.read_bytes().replace(b": 3", b": 4"))
    states = run(dag, DAY)
    assert states["drug_graph_gold"] == "success", "gold goes by sizes and sees no change"
    assert states["top_journals_gold"] == states["exclusive_drug_set_gold"] == "failed"
    assert all("delete it and run the gold step again" in alert["message"] for alert in heard())


@pytest.mark.parametrize("empty", ["out", "drugs"])
def test_a_setting_that_is_not_set_is_told_with_its_place(
    empty: str,
    make_dag: Callable[..., Any],
    heard: Callable[..., list[dict[str, Any]]],
    samples: Path,
    tmp_path: Path,
) -> None:
    states = run(make_dag(**{**settings_of(samples, tmp_path / "lake"), empty: ""}), DAY)
    assert "success" not in {states["drugs_bronze"], states["drug_graph_gold"]}
    assert any(f"set DRUGS_RS_{empty.upper()} in the environment of Airflow" in alert["message"] for alert in heard())
    assert not (tmp_path / "lake" / "bronze" / "drugs").exists()
