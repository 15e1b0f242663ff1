"""Why something went wrong, as workers note it: stored in English, read in the reader's language."""

from django.utils.translation import gettext


def reason(stored: str) -> str:
    """What a worker noted in English, in the reader's language.

    What the other side said stands behind a colon and stays as it was said.
    """
    whole = gettext(stored) if stored else ""
    head, colon, said = stored.partition(": ")
    if whole != stored or not colon:
        return whole
    with_hole = f"{head}: %(why)s"
    if (whole := gettext(with_hole)) != with_hole:
        return whole % {"why": said}
    return f"{gettext(head)}: {reason(said)}"
