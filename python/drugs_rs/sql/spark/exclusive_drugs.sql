-- Drugs that share a journal with a drug through PubMed alone: those that a journal mentions which mentions the drug in a
-- PubMed article, less those that a journal mentions which mentions it in a trial. Other kinds do not count.
-- Inputs: mentions, drugs. Options: unit (what counts as one drug: substance or code).
-- Rendered by `make sql-models` from models/exclusive_drugs.sql, which has the reasons: change that file.
WITH `parts_of_substances` AS (
  SELECT DISTINCT
    `drugs`.`atccode`,
    `parts`.`part`
  FROM {drugs} AS `drugs`
  LATERAL VIEW
  EXPLODE(SPLIT(`drugs`.`substance`, CONCAT('\\Q', ' | ', '\\E'))) parts AS `part`
), `substances` AS (
  SELECT
    `atccode`,
    ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(`part`)), ' | ') AS `substance`
  FROM `parts_of_substances`
  GROUP BY
    `atccode`
), `names` AS (
  SELECT DISTINCT
    `atccode`,
    `drug`
  FROM {drugs} AS `drugs`
), `codes` AS (
  SELECT
    `atccode`,
    ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(`drug`)), ' | ') AS `drug`
  FROM `names`
  GROUP BY
    `atccode`
), `units` AS (
  SELECT
    `codes`.`atccode`,
    CASE WHEN '{unit}' = 'code' THEN `codes`.`atccode` ELSE `substances`.`substance` END AS `counted`,
    CASE WHEN '{unit}' = 'code' THEN `codes`.`drug` ELSE `substances`.`substance` END AS `drug`
  FROM `codes`
  JOIN `substances`
    ON `substances`.`atccode` = `codes`.`atccode`
), `ranked_units` AS (
  SELECT
    `atccode`,
    `counted`,
    `drug`,
    ROW_NUMBER() OVER (PARTITION BY `counted` ORDER BY `atccode`) AS `rank_of_code`
  FROM `units`
), `journal_units` AS (
  SELECT DISTINCT
    `journal`,
    `kind`,
    CASE WHEN '{unit}' = 'code' THEN `atccode` ELSE `substance` END AS `counted`
  FROM {mentions} AS `mentions`
  WHERE
    NOT `journal` IS NULL AND `kind` IN ('pubmed', 'clinical_trial')
), `through_articles` AS (
  SELECT DISTINCT
    `asked`.`counted`,
    `other`.`counted` AS `other_counted`
  FROM `journal_units` AS `asked`
  JOIN `journal_units` AS `other`
    ON `other`.`journal` = `asked`.`journal`
  WHERE
    `asked`.`kind` = 'pubmed' AND `other`.`counted` <> `asked`.`counted`
), `through_trials` AS (
  SELECT DISTINCT
    `asked`.`counted`,
    `other`.`counted` AS `other_counted`
  FROM `journal_units` AS `asked`
  JOIN `journal_units` AS `other`
    ON `other`.`journal` = `asked`.`journal`
  WHERE
    `asked`.`kind` = 'clinical_trial'
)
SELECT
  `asked_unit`.`atccode`,
  `asked_unit`.`drug`,
  `other_unit`.`atccode` AS `other_atccode`,
  `other_unit`.`drug` AS `other_drug`
FROM `through_articles`
LEFT JOIN `through_trials`
  ON `through_trials`.`counted` = `through_articles`.`counted`
  AND `through_trials`.`other_counted` = `through_articles`.`other_counted`
JOIN `ranked_units` AS `asked_unit`
  ON `asked_unit`.`counted` = `through_articles`.`counted` AND `asked_unit`.`rank_of_code` = 1
JOIN `ranked_units` AS `other_unit`
  ON `other_unit`.`counted` = `through_articles`.`other_counted` AND `other_unit`.`rank_of_code` = 1
WHERE
  `through_trials`.`counted` IS NULL
ORDER BY
  `asked_unit`.`atccode`,
  `other_unit`.`atccode`
