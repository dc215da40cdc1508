"""Relations: SQL on DuckDB, checked before it runs, materialised as Parquet where it must be."""
