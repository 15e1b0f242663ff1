"""Instagram: what it brings, what leaves, what goes wrong."""
