"""One file a page: a function that fetches from the Vault and lays out components."""
