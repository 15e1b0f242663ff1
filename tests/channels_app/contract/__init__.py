"""Rules that every adapter with a hook keeps."""
