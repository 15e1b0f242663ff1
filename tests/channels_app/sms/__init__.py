"""The adapter of sms, its payloads and its simulated provider."""
