"""The door to Viber bots."""
