"""A believable shop for those who try the desk: people, doors and a few days of conversations."""
