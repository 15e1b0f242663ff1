"""What each kind of channel can carry, and the cutting of an answer into pieces it carries, pure."""

import unicodedata
from dataclasses import dataclass, field, replace

from channels_app.contracts import OutboundEnvelope

MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Limits of one kind of channel. Sources: the providers' references as listed in docs/channels/."""

    text_limit: int = 0  # of one piece; 0 is no limit worth cutting for
    in_bytes: bool = False  # the limit counts UTF-8 bytes instead of characters
    splits: bool = True  # text and each file leave as parts of their own
    # Bytes by the kind of file: image, video, audio, file. A kind that is absent is sent as a file, or not at all.
    files: dict[str, int] = field(default_factory=dict)
    choices: int = 0  # quick replies under one text
    choice_length: int = 20  # characters of one quick reply
    templates: bool = False  # an approved template reaches the customer when the window is closed
    quotes: bool = False  # an answer can point at one message
    receipts: bool = True  # the provider tells what became of a message
    comments: bool = False  # public comments can be answered in public or privately


ABILITIES: dict[str, Ability] = {
    "email": Ability(splits=False, quotes=False, receipts=False),
    "webchat": Ability(splits=False),
    "messenger": Ability(
        text_limit=2000, choices=13, quotes=False, comments=True,
        files={"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB, "file": 25 * MB},
    ),
    "instagram": Ability(
        text_limit=1000, in_bytes=True, choices=13, comments=True,
        files={"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB},
    ),
    "whatsapp": Ability(
        text_limit=4096, choices=10, templates=True, quotes=True,  # more than three choices become a list
        files={"file": 100 * MB},  # what is too large or of no kind to be shown goes as a document
    ),
    "zalo": Ability(text_limit=2000, quotes=True, templates=True, files={"image": 1 * MB, "file": 5 * MB}),
    "telegram": Ability(
        text_limit=4096, choices=8, choice_length=60, quotes=True, receipts=False,
        files={"file": 50 * MB},  # a picture too large to be shown goes as a document
    ),
    # Files go to LINE and by SMS as an address to tap, good for a day; small pictures as pictures where that works.
    "line": Ability(text_limit=5000, choices=13, quotes=False, receipts=False, files={"file": 20 * MB}),
    # A picture or a film too large to be shown goes as a file.
    "viber": Ability(text_limit=7000, choices=12, choice_length=100, files={"file": 50 * MB}),
    # Twilio takes 1600 UTF-16 units; the hundred are for emoji, which take two.
    "sms": Ability(text_limit=1500, files={"file": 20 * MB}),
    "open_api": Ability(splits=False, choices=13, choice_length=100, quotes=True),
}  # fmt: skip

_JOINER = "\u200d"


def pieces(text: str, limit: int, *, in_bytes: bool = False) -> list[str]:
    """The text in pieces of at most `limit` characters or bytes (at least 4), cut where a reader would pause.

    Nothing is lost but the white space at the cuts and ends. What is drawn as one sign (an emoji of several, a letter
    with its marks) stays whole unless it alone is longer than the limit. A blank text has no pieces.
    """
    rest, found = text.strip(), []
    while rest:
        size = _fitting(rest, limit, in_bytes)
        if size < len(rest):
            size = _pause(rest, _whole(rest, size))
        found.append(rest[:size].rstrip())
        rest = rest[size:].lstrip()
    return found


def parts(kind: str, envelope: OutboundEnvelope) -> list[OutboundEnvelope]:
    """The envelopes in which an answer leaves, in order: pieces of text, then each file. Quick replies go under the
    last text; what it quotes with the first part."""
    ability = ABILITIES.get(kind, Ability())
    if not ability.splits or envelope.template:
        return [envelope]
    texts = pieces(envelope.text, ability.text_limit, in_bytes=ability.in_bytes) if ability.text_limit else []
    bare = replace(envelope, text="", html="", files=(), choices=(), quotes="")
    found = [replace(bare, text=text) for text in texts]
    if found:
        found[-1] = replace(found[-1], choices=envelope.choices[: ability.choices])
    found += [replace(bare, files=(file,)) for file in envelope.files]
    if found:
        found[0] = replace(found[0], quotes=envelope.quotes)
    return found


def file_kind(content_type: str) -> str:
    """image, video, audio or file."""
    kind = content_type.split("/")[0]
    return kind if kind in ("image", "video", "audio") else "file"


def file_limit(kind: str, content_type: str) -> int | None:
    """How many bytes of such a file this kind of channel carries: 0 is none at all, None is no limit of its own."""
    ability = ABILITIES.get(kind, Ability())
    if not ability.splits:
        return None
    own = ability.files.get(file_kind(content_type))
    return own if own is not None else ability.files.get("file", 0)


def _fitting(text: str, limit: int, in_bytes: bool) -> int:
    """How many characters from the start fit; at least one, so that cutting always ends."""
    if not in_bytes:
        return min(limit, len(text))
    used = 0
    for index, character in enumerate(text[: limit + 1]):
        used += len(character.encode("utf-8", "replace"))
        if used > limit:
            return max(index, 1)
    return len(text)


def _whole(text: str, size: int) -> int:
    """The last place at or before `size` that tears no sign apart; `size` itself when the sign is longer than that."""
    return next((place for place in range(size, 0, -1) if not _tears(text, place)), size)


def _tears(text: str, place: int) -> bool:
    """Whether what stands before and after this place is drawn as one."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if after == _JOINER or before == _JOINER or before + after == "\r\n" or _extends(after):
        return True
    if not (_is_half_flag(before) and _is_half_flag(after)):
        return False
    run = place - 1
    while run > 0 and _is_half_flag(text[run - 1]):
        run -= 1
    return (place - run) % 2 == 1


def _extends(character: str) -> bool:
    """A mark on the sign before it: accents, variation selectors, skin tones, the tags of a flag."""
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_half_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _pause(text: str, size: int) -> int:
    """The best place to cut at or before `size`: a paragraph, a line, a sentence, a word; else right there."""
    for mark in ("\n\n", "\n", ". ", "! ", "? ", "… ", " "):
        place = text.rfind(mark, size // 2, size + 1)
        while place > 0:
            end = place + len(mark.rstrip())  # what is not white space stays with what it ends
            if not _extends(text[end:].lstrip()[:1] or " "):
                return end
            place = text.rfind(mark, size // 2, place)
    return size
