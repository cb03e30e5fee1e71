"""The database itself: connections, tables, migrations, locks, errors."""
