"""The affiliate program's rules: pure functions over frozen records, no I/O.

Nothing here imports Streamlit, SQLAlchemy or pandas, reads a clock, or knows a table.
"""
