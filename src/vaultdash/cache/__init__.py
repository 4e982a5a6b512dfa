"""Short memory, in the process or in Redis; losing it changes no answer."""
