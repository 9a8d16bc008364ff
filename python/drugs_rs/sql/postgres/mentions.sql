-- The places in the text of current publications that name a drug, one row for each place and code.
-- Inputs: found (what a matcher finds in current publications: kind, publication_id, field, atccode, drug, start, end,
-- surface, rule, role), publications, drugs.
-- Rendered by `make sql-models` from models/mentions.sql, which has the reasons: change that file.
WITH "parts_of_substances" AS (
  SELECT DISTINCT
    "drugs"."atccode",
    "parts"."part"
  FROM {drugs} AS "drugs"
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
FROM {found} AS "found"
JOIN {publications} AS "publications"
  ON "publications"."kind" = "found"."kind" AND "publications"."publication_id" = "found"."publication_id"
LEFT JOIN "substances"
  ON "substances"."atccode" = "found"."atccode"
