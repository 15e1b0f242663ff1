"""Viber: what it sends, what it is sent."""
