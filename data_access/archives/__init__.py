"""Move old months of activity from the database into Parquet files."""

from data_access.archives.archiving import Archived, ArchiveMonths, archive

__all__ = ["ArchiveMonths", "Archived", "archive"]
