"""The schema's history, run by Alembic through ``python -m data_access migrate``."""
