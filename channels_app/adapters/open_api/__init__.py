"""The door to a system of the shop's own that speaks to us by signed calls."""
