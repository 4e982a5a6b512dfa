"""What the owner can do, carried by one object, the Vault."""
