"""What stops a start: one clear line for the person at the terminal."""


class CannotStart(Exception):  # noqa: N818 - says what is wrong, as DomainErrors do
    """Its text is one line that says what is wrong and what to do; shown without a traceback."""
