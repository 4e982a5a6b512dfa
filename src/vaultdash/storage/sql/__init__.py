"""The database: SQLite in one file, or PostgreSQL by URL, through SQLAlchemy."""

from vaultdash.storage.sql.database import SqlDatabase

__all__ = ["SqlDatabase"]
