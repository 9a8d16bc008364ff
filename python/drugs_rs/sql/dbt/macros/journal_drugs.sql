{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% macro journal_drugs() %}
  {{- return(adapter.dispatch('journal_drugs', 'drugs_rs')()) -}}
{% endmacro %}

{% macro bigquery__journal_drugs() %}
SELECT
  `journal`,
  `substance`,
  `kind`,
  COUNT(DISTINCT `publication_id`) AS `pairs`
FROM {{ ref('mentions') }} AS `mentions`
WHERE
  NOT `journal` IS NULL
GROUP BY
  `journal`,
  `substance`,
  `kind`
{% endmacro %}

{% macro duckdb__journal_drugs() %}
SELECT
  "journal",
  "substance",
  "kind",
  COUNT(DISTINCT "publication_id") AS "pairs"
FROM {{ ref('mentions') }} AS "mentions"
WHERE
  NOT "journal" IS NULL
GROUP BY
  "journal",
  "substance",
  "kind"
{% endmacro %}

{% macro postgres__journal_drugs() %}
SELECT
  "journal",
  "substance",
  "kind",
  COUNT(DISTINCT "publication_id") AS "pairs"
FROM {{ ref('mentions') }} AS "mentions"
WHERE
  NOT "journal" IS NULL
GROUP BY
  "journal",
  "substance",
  "kind"
{% endmacro %}

{% macro spark__journal_drugs() %}
SELECT
  `journal`,
  `substance`,
  `kind`,
  COUNT(DISTINCT `publication_id`) AS `pairs`
FROM {{ ref('mentions') }} AS `mentions`
WHERE
  NOT `journal` IS NULL
GROUP BY
  `journal`,
  `substance`,
  `kind`
{% endmacro %}
