"""Sources with every text that gold may search, and with statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from test_record_details import article, article_set, types
from written_sources import write_drugs

if TYPE_CHECKING:
    from pathlib import Path

ARMS = {
    "EXPERIMENTAL": "Test",
    "ACTIVE_COMPARATOR": "Standard",
    "PLACEBO_COMPARATOR": "Sham",
    "NO_INTERVENTION": "None",
}


def study(*given: tuple[str, list[str], list[str]]) -> dict[str, Any]:
    """A study of ClinicalTrials.gov's API; each intervention has a name, other names and types of arms."""
    interventions = [
        {"type": "DRUG", "name": name, "otherNames": others, "armGroupLabels": [ARMS[arm] for arm in arms]}
        for name, others, arms in given
    ]
    groups = [{"label": label, "type": arm} for arm, label in ARMS.items()]
    protocol = {
        "identificationModule": {"nctId": "NCT00000001", "officialTitle": "A study of two drugs"},
        "statusModule": {"startDateStruct": {"date": "2020-01"}},
        "descriptionModule": {"briefSummary": "Aspirin is not tested"},
        "armsInterventionsModule": {"armGroups": groups, "interventions": interventions},
    }
    return {"studies": [{"protocolSection": protocol}]}


def write_sources(folder: Path) -> dict[str, Any]:
    """A vocabulary, three articles, of which one is retracted and one doubtful, and a trial."""
    chemicals = (
        "<ChemicalList><Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI='D1'>Warfarin</NameOfSubstance>"
        "</Chemical><Chemical><RegistryNumber>R16</RegistryNumber><NameOfSubstance UI='D2'>Aspirin</NameOfSubstance>"
        "</Chemical></ChemicalList>"
    )
    articles = article_set(
        article(1, title="Warfarin or not", behind=chemicals),
        article(2, title="Warfarin again", inside=types("Journal Article", "Retracted Publication")),
        article(3, title="Aspirin at last", inside=types("Expression of Concern")),
    )
    (folder / "pubmed.xml").write_text(articles, encoding="utf-8")
    trial = study(
        ("Heparin", ["Warfarin", "Fluindione"], ["ACTIVE_COMPARATOR", "EXPERIMENTAL"]),
        ("Sugar", ["Aspirin"], ["PLACEBO_COMPARATOR"]),
        ("Care", ["Heparin"], ["NO_INTERVENTION"]),
    )
    (folder / "trials.json").write_text(json.dumps(trial), encoding="utf-8")
    drugs = (("B01AA03", "warfarin"), ("B01AC06", "aspirin"), ("B01AB01", "heparin"), ("X", "aspirin heparin"))
    return {
        "drugs": write_drugs(folder / "drugs.csv", *drugs),
        "pubmed": folder / "pubmed.xml",
        "clinical_trials": folder / "trials.json",
    }
