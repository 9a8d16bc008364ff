{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% macro mentions() %}
  {{- return(adapter.dispatch('mentions', 'drugs_rs')()) -}}
{% endmacro %}

{% macro bigquery__mentions() %}
WITH `parts_of_substances` AS (
  SELECT DISTINCT
    `drugs`.`atccode`,
    `part`
  FROM {{ source('drugs', 'drugs') }} AS `drugs`
  CROSS JOIN UNNEST(SPLIT(`drugs`.`substance`, ' | ')) AS `part`
), `substances` AS (
  SELECT
    `atccode`,
    STRING_AGG(`part`, ' | '
    ORDER BY
      `part`) AS `substance`
  FROM `parts_of_substances`
  GROUP BY
    `atccode`
)
SELECT
  `found`.`atccode`,
  `found`.`drug`,
  `substances`.`substance`,
  `found`.`publication_id`,
  `publications`.`journal`,
  `publications`.`date`,
  `found`.`field`,
  `found`.`start`,
  `found`.`end`,
  `found`.`surface`,
  `found`.`rule`,
  `found`.`role`,
  `publications`.`status`,
  `found`.`kind`,
  `publications`.`dt`
FROM {{ source('drugs', 'found') }} AS `found`
JOIN {{ ref('publications') }} AS `publications`
  ON `publications`.`kind` = `found`.`kind` AND `publications`.`publication_id` = `found`.`publication_id`
LEFT JOIN `substances`
  ON `substances`.`atccode` = `found`.`atccode`
{% endmacro %}

{% macro duckdb__mentions() %}
WITH "parts_of_substances" AS (
  SELECT DISTINCT
    "drugs"."atccode",
    "parts"."part"
  FROM {{ source('drugs', 'drugs') }} AS "drugs"
  CROSS JOIN UNNEST(STR_SPLIT("drugs"."substance", ' | ')) AS "parts"("part")
), "substances" AS (
  SELECT
    "atccode",
    LISTAGG("part", ' | '
    ORDER BY
      "part" COLLATE "C") AS "substance"
  FROM "parts_of_substances"
  GROUP BY
    "atccode"
)
SELECT
  "found"."atccode",
  "found"."drug",
  "substances"."substance",
  "found"."publication_id",
  "publications"."journal",
  "publications"."date",
  "found"."field",
  "found"."start",
  "found"."end",
  "found"."surface",
  "found"."rule",
  "found"."role",
  "publications"."status",
  "found"."kind",
  "publications"."dt"
FROM {{ source('drugs', 'found') }} AS "found"
JOIN {{ ref('publications') }} AS "publications"
  ON "publications"."kind" = "found"."kind" AND "publications"."publication_id" = "found"."publication_id"
LEFT JOIN "substances"
  ON "substances"."atccode" = "found"."atccode"
{% endmacro %}

{% macro postgres__mentions() %}
WITH "parts_of_substances" AS (
  SELECT DISTINCT
    "drugs"."atccode",
    "parts"."part"
  FROM {{ source('drugs', 'drugs') }} AS "drugs"
  CROSS JOIN UNNEST(STRING_TO_ARRAY("drugs"."substance", ' | ')) AS "parts"("part")
), "substances" AS (
  SELECT
    "atccode",
    STRING_AGG("part", ' | '
    ORDER BY
      "part" COLLATE "C") AS "substance"
  FROM "parts_of_substances"
  GROUP BY
    "atccode"
)
SELECT
  "found"."atccode",
  "found"."drug",
  "substances"."substance",
  "found"."publication_id",
  "publications"."journal",
  "publications"."date",
  "found"."field",
  "found"."start",
  "found"."end",
  "found"."surface",
  "found"."rule",
  "found"."role",
  "publications"."status",
  "found"."kind",
  "publications"."dt"
FROM {{ source('drugs', 'found') }} AS "found"
JOIN {{ ref('publications') }} AS "publications"
  ON "publications"."kind" = "found"."kind" AND "publications"."publication_id" = "found"."publication_id"
LEFT JOIN "substances"
  ON "substances"."atccode" = "found"."atccode"
{% endmacro %}

{% macro spark__mentions() %}
WITH `parts_of_substances` AS (
  SELECT DISTINCT
    `drugs`.`atccode`,
    `parts`.`part`
  FROM {{ source('drugs', 'drugs') }} AS `drugs`
  LATERAL VIEW
  EXPLODE(SPLIT(`drugs`.`substance`, CONCAT('\\Q', ' | ', '\\E'))) parts AS `part`
), `substances` AS (
  SELECT
    `atccode`,
    ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(`part`)), ' | ') AS `substance`
  FROM `parts_of_substances`
  GROUP BY
    `atccode`
)
SELECT
  `found`.`atccode`,
  `found`.`drug`,
  `substances`.`substance`,
  `found`.`publication_id`,
  `publications`.`journal`,
  `publications`.`date`,
  `found`.`field`,
  `found`.`start`,
  `found`.`end`,
  `found`.`surface`,
  `found`.`rule`,
  `found`.`role`,
  `publications`.`status`,
  `found`.`kind`,
  `publications`.`dt`
FROM {{ source('drugs', 'found') }} AS `found`
JOIN {{ ref('publications') }} AS `publications`
  ON `publications`.`kind` = `found`.`kind` AND `publications`.`publication_id` = `found`.`publication_id`
LEFT JOIN `substances`
  ON `substances`.`atccode` = `found`.`atccode`
{% endmacro %}
