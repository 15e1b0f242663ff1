"""What stops a start: one clear line for the person at the terminal."""


class CannotStart(Exception):
    """Its text is one line that says what is wrong and what to do; shown without a traceback."""
