"""One file a component: it takes values and callbacks, never the Vault."""
