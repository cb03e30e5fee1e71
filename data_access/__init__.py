"""Everything that touches Postgres: connections, migrations, loaders, rollups, verbs, exports.

Nothing here imports Streamlit: a write must not be interruptible by a page's rerun.
"""
