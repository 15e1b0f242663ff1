"""What an answer looks like on its way out, pure: subject, threading headers, signature."""

import re
from collections.abc import Sequence

_PREFIX = re.compile(r"^\s*(re|fwd?|tr|trả lời|chuyển tiếp)\s*:\s*", re.IGNORECASE)
MAX_REFERENCES = 20


def reply_subject(subject: str, number: str) -> str:
    """`Re: subject`, however many prefixes it came with; a ticket without one is named by its number."""
    bare = subject
    while (shorter := _PREFIX.sub("", bare)) != bare:
        bare = shorter
    return f"Re: {bare.strip() or '#' + number}"


def references(earlier: Sequence[str], in_reply_to: str) -> tuple[str, ...]:
    """The chain of message ids, oldest first: the first and the last ten of a long one."""
    chain = list(dict.fromkeys([*earlier, *([in_reply_to] if in_reply_to else [])]))
    if len(chain) > MAX_REFERENCES:
        chain = [chain[0], *chain[-10:]]
    return tuple(chain)


def with_signature(text: str, signature: str) -> str:
    """The text with the agent's signature under the customary line."""
    return f"{text.rstrip()}\n\n-- \n{signature.strip()}" if signature.strip() else text.rstrip()


def message_id(ticket_id: int, unique: str, domain: str) -> str:
    """Our own Message-ID, without brackets; the domain is that of the mailbox."""
    return f"t{ticket_id}.{unique}@{domain or 'localhost'}"
