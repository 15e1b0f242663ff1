"""Zalo: what it sends, what it is sent, how its keys live."""
