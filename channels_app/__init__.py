"""The doors: transport only, knows no ticket."""
