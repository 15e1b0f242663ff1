"""The adapter of line, its payloads and its simulated provider."""
