"""Description of this package for Airflow, through the entry point ``apache_airflow_provider``.

Airflow shows the link of an operator only if it is registered. An installed package registers in every component, also
on Composer, where the folder ``plugins/`` does not reach all of them. This module is outside of ``drugs_rs.airflow``,
because importing that needs an Airflow that has started, and Airflow imports this one while it starts.
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
