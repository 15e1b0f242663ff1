"""House rules and who may import whom."""
