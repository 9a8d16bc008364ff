{# Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema. #}
{{ drugs_rs.top_journals() }}
