"""The door to Instagram's messages and comments."""
