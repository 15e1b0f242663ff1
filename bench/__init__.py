"""Measurements of a whole desk: what it takes, how fast it is, and what the machine itself could do."""
