"""What to do with an incoming message, pure: drop it, attach it quietly, or go on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """drop: ours come back, nothing new. quietly: shown, but it wakes nobody. spam: straight to spam."""

    drop: bool = False
    quietly: bool = False
    spam: bool = False
    reason: str = ""


def judge(*, is_ours: bool, is_auto: bool, is_blocked: bool) -> Verdict:
    """A blocked sender's message is kept as spam; a machine's is attached quietly; ours come back is dropped."""
    if is_ours:
        return Verdict(drop=True, reason="our own mail")
    if is_blocked:
        return Verdict(quietly=True, spam=True, reason="blocked sender")
    if is_auto:
        return Verdict(quietly=True, reason="written by a machine")
    return Verdict()
