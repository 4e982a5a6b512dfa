"""Option chains as they were quoted: from files or from the market, kept in Parquet, given out again."""
