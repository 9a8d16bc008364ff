"""What Airflow is told about this package through the entry point ``apache_airflow_provider``.

Airflow shows the link of an operator only if it was registered, and an installed package registers in every component,
on Composer too, where the folder ``plugins/`` does not reach all of them. It stands beside ``drugs_rs.airflow``, whose
import needs an Airflow that has started, and this one is asked while it starts.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the package."""
    return {
        "package-name": "drugs-rs",
        "name": "drugs_rs",
        "description": "Which drug is mentioned where and when: drug vocabularies, PubMed and trials to one graph.",
        "extra-links": ["drugs_rs.airflow.links.ReportLink"],
    }
