"""Hedges replayed on past prices: what a template would have done to a loan, day by day."""
