"""The door to Telegram bots."""
