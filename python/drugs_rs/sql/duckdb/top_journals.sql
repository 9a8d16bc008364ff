-- Journals by the number of different drugs that they mention, the largest first, then by name.
-- Inputs: mentions. Options: unit (what counts as one drug: substance or code).
-- Rendered by `make sql-models` from models/top_journals.sql, which has the reasons: change that file.
SELECT
  "journal",
  COUNT(DISTINCT CASE WHEN '{unit}' = 'code' THEN "atccode" ELSE "substance" END) AS "drugs"
FROM {mentions} AS "mentions"
WHERE
  NOT "journal" IS NULL
GROUP BY
  "journal"
ORDER BY
  "drugs" DESC,
  "journal" COLLATE "C"
