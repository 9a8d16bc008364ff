-- Which journal mentions which substance, one row for each journal, substance and kind of publication.
-- Inputs: mentions.
SELECT journal, substance, kind, COUNT(DISTINCT publication_id) AS pairs
FROM mentions
WHERE journal IS NOT NULL
GROUP BY journal, substance, kind
