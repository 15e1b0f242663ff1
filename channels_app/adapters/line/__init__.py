"""The door to LINE official accounts."""
