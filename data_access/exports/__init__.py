"""Exports to CSV, XLSX and Parquet."""
