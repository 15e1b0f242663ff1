"""The door to Zalo official accounts."""
