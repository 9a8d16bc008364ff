{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% test unique_together(model, columns) %}
SELECT {% for column in columns %}{{ adapter.quote(column) }}, {% endfor %}COUNT(*) AS rows_of_key
FROM {{ model }}
GROUP BY {% for column in columns %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor %}
HAVING COUNT(*) > 1
{% endtest %}
