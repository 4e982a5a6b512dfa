"""Files on disk: replaced whole, locked while they change, sealed against damage."""
