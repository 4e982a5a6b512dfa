"""Ways to the owner: each channel kind is one file that sends."""
