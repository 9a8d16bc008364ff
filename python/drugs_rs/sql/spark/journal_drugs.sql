-- Which journal mentions which substance, one row for each journal, substance and kind of publication.
-- Inputs: mentions.
-- Rendered by `make sql-models` from models/journal_drugs.sql, which has the reasons: change that file.
SELECT
  `journal`,
  `substance`,
  `kind`,
  COUNT(DISTINCT `publication_id`) AS `pairs`
FROM {mentions} AS `mentions`
WHERE
  NOT `journal` IS NULL
GROUP BY
  `journal`,
  `substance`,
  `kind`
