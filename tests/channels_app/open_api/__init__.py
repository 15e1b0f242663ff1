"""The adapter of open_api, its payloads and its simulated provider."""
