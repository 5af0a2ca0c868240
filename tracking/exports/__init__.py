"""Tables of runs and histories as CSV, JSON and Parquet."""
