"""Vault Dashboard: loans secured by gold, and the hedges that keep a margin call away."""

__version__ = "0.5.0"
