{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% test unique_together(model, columns) %}
{%- set key = columns | map('trim') | list -%}
SELECT {% for column in key %}{{ adapter.quote(column) }}, {% endfor %}COUNT(*) AS rows_of_key
FROM {{ model }}
GROUP BY {% for column in key %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor %}
HAVING COUNT(*) > 1
{% endtest %}
