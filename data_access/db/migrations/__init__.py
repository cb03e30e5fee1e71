"""The migrations, run by Alembic through ``python -m data_access migrate``."""
