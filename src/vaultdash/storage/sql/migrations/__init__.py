"""How the tables came to be, layout by layout."""
