-- Journals by the number of different drugs that they mention, the largest first, then by name.
-- Inputs: mentions. Options: unit (what counts as one drug: substance or code).
SELECT journal, COUNT(DISTINCT CASE WHEN '{unit}' = 'code' THEN atccode ELSE substance END) AS drugs
FROM mentions
WHERE journal IS NOT NULL
GROUP BY journal
ORDER BY drugs DESC, journal COLLATE "C"
