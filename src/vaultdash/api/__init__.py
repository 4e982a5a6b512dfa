"""The Vault as JSON and as a WebSocket."""
