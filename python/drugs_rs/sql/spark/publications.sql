-- The current state of every publication: the newest delivery of it, without held and deleted ones, the journal under its
-- display name.
-- Inputs: publications_all, deleted, journal_ids, status.
-- Rendered by `make sql-models` from models/publications.sql, which has the reasons: change that file.
WITH `counted_dates` AS (
  SELECT DISTINCT
    `dt`
  FROM {status} AS `status`
  WHERE
    NOT `held` AND CAST(`dt` AS STRING) <= CAST(`as_of` AS STRING)
), `snapshots` AS (
  SELECT
    CASE `table`
      WHEN 'clinical_trials'
      THEN 'clinical_trial'
      WHEN 'preprints'
      THEN 'preprint'
      ELSE `table`
    END AS `kind`,
    MAX(`dt`) AS `dt`
  FROM {status} AS `status`
  WHERE
    `snapshot` AND `dt` IN (
      SELECT
        `dt`
      FROM `counted_dates`
    )
  GROUP BY
    1
), `deliveries` AS (
  SELECT
    `publication_id`,
    `title`,
    `date`,
    `date_precision`,
    `journal`,
    `journal_key`,
    `flags`,
    `status`,
    `publications_all`.`kind`,
    `publications_all`.`dt`,
    ROW_NUMBER() OVER (PARTITION BY `publications_all`.`kind`, `publication_id` ORDER BY `publications_all`.`dt` DESC) AS `age`
  FROM {publications_all} AS `publications_all`
  LEFT JOIN `snapshots`
    ON `snapshots`.`kind` = `publications_all`.`kind` AND `snapshots`.`dt` > `publications_all`.`dt`
  WHERE
    `publications_all`.`dt` IN (
      SELECT
        `dt`
      FROM `counted_dates`
    )
    AND `snapshots`.`kind` IS NULL
), `notices` AS (
  SELECT
    `kind`,
    `publication_id`,
    MAX(`dt`) AS `dt`
  FROM {deleted} AS `deleted`
  WHERE
    `dt` IN (
      SELECT
        `dt`
      FROM `counted_dates`
    )
  GROUP BY
    `kind`,
    `publication_id`
), `current_rows` AS (
  SELECT
    `deliveries`.*
  FROM `deliveries`
  LEFT JOIN `notices`
    ON `notices`.`kind` = `deliveries`.`kind`
    AND `notices`.`publication_id` = `deliveries`.`publication_id`
    AND `notices`.`dt` > `deliveries`.`dt`
  WHERE
    `deliveries`.`age` = 1 AND `notices`.`kind` IS NULL
), `stated_ids` AS (
  SELECT DISTINCT
    `journal_key`,
    `nlm_id`,
    `issn`
  FROM {journal_ids} AS `journal_ids`
  LEFT JOIN `snapshots`
    ON `snapshots`.`kind` = `journal_ids`.`kind` AND `snapshots`.`dt` > `journal_ids`.`dt`
  WHERE
    `journal_ids`.`dt` IN (
      SELECT
        `dt`
      FROM `counted_dates`
    ) AND `snapshots`.`kind` IS NULL
), `shared_keys` AS (
  SELECT
    `journal_key`
  FROM `stated_ids`
  GROUP BY
    `journal_key`
  HAVING
    COUNT(DISTINCT `nlm_id`) > 1 OR (
      COUNT(DISTINCT `nlm_id`) = 0 AND COUNT(DISTINCT `issn`) > 2
    )
), `shared_issns` AS (
  SELECT
    `issn`
  FROM `stated_ids`
  WHERE
    NOT `issn` IS NULL
  GROUP BY
    `issn`
  HAVING
    COUNT(DISTINCT `nlm_id`) > 1
), `keys_of_ids` AS (
  SELECT DISTINCT
    'nlm_id' AS `kind_of_id`,
    `nlm_id` AS `id`,
    `journal_key`
  FROM `stated_ids`
  WHERE
    NOT `nlm_id` IS NULL
  UNION ALL
  SELECT DISTINCT
    'issn' AS `kind_of_id`,
    `issn` AS `id`,
    `journal_key`
  FROM `stated_ids`
  WHERE
    NOT `issn` IS NULL AND NOT `issn` IN (
      SELECT
        `issn`
      FROM `shared_issns`
    )
), `joining_ids` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    COUNT(*) OVER (PARTITION BY `kind_of_id`, `id`) AS `keys`
  FROM `keys_of_ids`
  WHERE
    NOT `journal_key` IN (
      SELECT
        `journal_key`
      FROM `shared_keys`
    )
), `joined_keys_0` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `journal_key` AS `first_key`,
    TRUE AS `is_changed`
  FROM `joining_ids`
  WHERE
    `keys` > 1
), `joined_keys_1` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_0`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys_2` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_1`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys_3` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_2`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys_4` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_3`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys_5` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_4`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys_6` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    `first_key`,
    MAX(CASE WHEN `first_key` <> `first_key_before` THEN 1 ELSE 0 END) OVER () = 1 AS `is_changed`
  FROM (
    SELECT
      `kind_of_id`,
      `id`,
      `journal_key`,
      `first_key_before`,
      MIN(`first_key_of_id`) OVER (PARTITION BY `journal_key`) AS `first_key`
    FROM (
      SELECT
        `kind_of_id`,
        `id`,
        `journal_key`,
        `first_key` AS `first_key_before`,
        MIN(`first_key`) OVER (PARTITION BY `kind_of_id`, `id`) AS `first_key_of_id`
      FROM `joined_keys_5`
    ) AS `by_id`
  ) AS `by_key`
), `joined_keys` AS (
  SELECT
    `kind_of_id`,
    `id`,
    `journal_key`,
    CASE
      WHEN `is_changed`
      THEN RAISE_ERROR('publications: joined_keys still changes after 6 rounds, and spark does no more of them')
      ELSE `first_key`
    END AS `first_key`
  FROM `joined_keys_6`
), `first_keys` AS (
  SELECT
    `journal_key`,
    MIN(`first_key`) AS `first_key`
  FROM `joined_keys`
  GROUP BY
    `journal_key`
), `spellings_of_keys` AS (
  SELECT
    `journal_key`,
    `journal`,
    COUNT(*) AS `publications`
  FROM `current_rows`
  WHERE
    NOT `journal` IS NULL AND NOT `journal_key` IS NULL
  GROUP BY
    `journal_key`,
    `journal`
), `spellings` AS (
  SELECT
    `spellings_of_keys`.`journal_key`,
    `spellings_of_keys`.`journal`,
    COALESCE(`first_keys`.`first_key`, `spellings_of_keys`.`journal_key`) AS `first_key`,
    SUM(`spellings_of_keys`.`publications`) OVER (
      PARTITION BY COALESCE(`first_keys`.`first_key`, `spellings_of_keys`.`journal_key`), `spellings_of_keys`.`journal`
    ) AS `publications`
  FROM `spellings_of_keys`
  LEFT JOIN `first_keys`
    ON `first_keys`.`journal_key` = `spellings_of_keys`.`journal_key`
), `display_names` AS (
  SELECT DISTINCT
    `journal_key`,
    FIRST_VALUE(`journal`) OVER (PARTITION BY `first_key` ORDER BY `publications` DESC, `journal`) AS `journal`
  FROM `spellings`
)
SELECT
  `current_rows`.`publication_id`,
  `current_rows`.`title`,
  `current_rows`.`date`,
  `current_rows`.`date_precision`,
  `display_names`.`journal`,
  `current_rows`.`journal_key`,
  `current_rows`.`flags`,
  `current_rows`.`status`,
  `current_rows`.`kind`,
  `current_rows`.`dt`
FROM `current_rows`
LEFT JOIN `display_names`
  ON `display_names`.`journal_key` = `current_rows`.`journal_key`
