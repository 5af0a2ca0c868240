"""The only place that knows SQL: tables, engines, migrations, ingest and queries."""
