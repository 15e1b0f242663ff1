"""The chat of a visitor: session, lines, files, mail for those who left, and the widget itself."""
