{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% macro top_journals() %}
  {{- return(adapter.dispatch('top_journals', 'drugs_rs')()) -}}
{% endmacro %}

{% macro bigquery__top_journals() %}
SELECT
  `journal`,
  COUNT(DISTINCT CASE WHEN '{{ var('drugs_unit') }}' = 'code' THEN `atccode` ELSE `substance` END) AS `drugs`
FROM {{ ref('mentions') }} AS `mentions`
WHERE
  NOT `journal` IS NULL
GROUP BY
  `journal`
ORDER BY
  `drugs` DESC,
  `journal`
{% endmacro %}

{% macro duckdb__top_journals() %}
SELECT
  "journal",
  COUNT(DISTINCT CASE WHEN '{{ var('drugs_unit') }}' = 'code' THEN "atccode" ELSE "substance" END) AS "drugs"
FROM {{ ref('mentions') }} AS "mentions"
WHERE
  NOT "journal" IS NULL
GROUP BY
  "journal"
ORDER BY
  "drugs" DESC,
  "journal" COLLATE "C"
{% endmacro %}

{% macro postgres__top_journals() %}
SELECT
  "journal",
  COUNT(DISTINCT CASE WHEN '{{ var('drugs_unit') }}' = 'code' THEN "atccode" ELSE "substance" END) AS "drugs"
FROM {{ ref('mentions') }} AS "mentions"
WHERE
  NOT "journal" IS NULL
GROUP BY
  "journal"
ORDER BY
  "drugs" DESC,
  "journal" COLLATE "C"
{% endmacro %}

{% macro spark__top_journals() %}
SELECT
  `journal`,
  COUNT(DISTINCT CASE WHEN '{{ var('drugs_unit') }}' = 'code' THEN `atccode` ELSE `substance` END) AS `drugs`
FROM {{ ref('mentions') }} AS `mentions`
WHERE
  NOT `journal` IS NULL
GROUP BY
  `journal`
ORDER BY
  `drugs` DESC,
  `journal`
{% endmacro %}
