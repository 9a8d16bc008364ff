{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}

{% test same_rows(model, other, columns) %}
{{ config(enabled=var('drugs_compare')) }}
{%- set listed -%}
  {% for column in columns %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor %}
{%- endset -%}
{%- set except = 'EXCEPT DISTINCT' if target.type == 'bigquery' else 'EXCEPT' -%}
SELECT 'only in the model' AS difference, more.* FROM (
  SELECT {{ listed }} FROM {{ model }} {{ except }} SELECT {{ listed }} FROM {{ other }}
) AS more
UNION ALL
SELECT 'only in the loaded table' AS difference, less.* FROM (
  SELECT {{ listed }} FROM {{ other }} {{ except }} SELECT {{ listed }} FROM {{ model }}
) AS less
{% endtest %}
