"""How gold moves, and what that means for the loan."""
