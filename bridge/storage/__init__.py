"""What the bridge remembers: operations, links and workers, in SQLite or PostgreSQL."""
