"""All database access: connections, migrations, loaders, rollups, verbs, exports.

Nothing here imports Streamlit: a page's rerun must not interrupt a write.
"""
