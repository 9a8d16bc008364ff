-- Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema.
-- A mention without its publication.
SELECT mentions.kind, mentions.publication_id
FROM {{ ref('mentions') }} AS mentions
LEFT JOIN {{ ref('publications') }} AS publications
  ON publications.kind = mentions.kind AND publications.publication_id = mentions.publication_id
WHERE publications.publication_id IS NULL
