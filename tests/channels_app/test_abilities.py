"""Cutting an answer into what a channel carries: nothing lost, nothing too long, nothing torn."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_app.abilities import ABILITIES, MB, file_kind, file_limit, parts, pieces
from channels_app.contracts import OutboundEnvelope, OutboundFile

FAMILY, FLAG, THUMB, HEART = "👨‍👩‍👧‍👦", "🇻🇳", "👍🏽", "❤️"
DECOMPOSED = unicodedata.normalize("NFD", "Nguyễn được")
SIGNS = [
    *"abc ăđệ.!?…\n\r\t",
    "\n\n",
    ". ",
    FAMILY,
    FLAG,
    THUMB,
    HEART,
    DECOMPOSED,
    "สวัสดี",
    "مرحبا",
    "e\u0301\u0323",
    "\u0301",
    " \u0301",
]
texts = st.lists(st.sampled_from(SIGNS), max_size=120).map("".join) | st.text(max_size=300)
limits = st.integers(4, 80)


def weight(text: str, in_bytes: bool) -> int:
    return len(text.encode("utf-8", "replace")) if in_bytes else len(text)


@settings(max_examples=600, deadline=None)
@given(texts, limits, st.booleans())
@example(" \u0301" * 20, 4, False)
@example("x" * 79 + "\u0301" * 79, 80, True)
def test_nothing_is_lost_but_white_space_at_the_cuts(text: str, limit: int, in_bytes: bool) -> None:
    found, at = pieces(text, limit, in_bytes=in_bytes), 0
    for piece in found:
        assert piece
        assert piece == piece.strip()
        assert weight(piece, in_bytes) <= limit
        place = text.find(piece, at)
        assert place >= 0
        assert not text[at:place].strip()
        at = place + len(piece)
    assert not text[at:].strip()


WHOLE = [
    FAMILY,
    FLAG,
    THUMB,
    HEART,
    "ễ",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "ế",
    "a",
    " ",
    ". ",
]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(WHOLE), max_size=120), st.integers(30, 60), st.booleans())
def test_what_is_drawn_as_one_sign_stays_whole(signs: list[str], limit: int, in_bytes: bool) -> None:
    whole = [sign for sign in signs if sign.strip()]
    for piece in pieces("".join(signs), limit, in_bytes=in_bytes):
        rest = piece
        while rest.strip():
            rest = rest.lstrip()
            sign = whole.pop(0).strip()
            assert rest.startswith(sign), (piece, sign)
            rest = rest[len(sign) :]
    assert not whole


def test_a_sign_longer_than_the_limit_is_cut_all_the_same() -> None:
    assert pieces("a" + "\u0301" * 9, 4) == ["a\u0301\u0301\u0301", "\u0301" * 4, "\u0301" * 2]


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("", 10, []),
        (" \n ", 10, []),
        ("  Dạ vâng  ", 10, ["Dạ vâng"]),
        ("Một đoạn.\n\nĐoạn hai.", 15, ["Một đoạn.", "Đoạn hai."]),
        ("dòng một\ndòng hai", 12, ["dòng một", "dòng hai"]),
        ("Câu một. Câu hai.", 12, ["Câu một.", "Câu hai."]),
        ("một hai ba bốn", 8, ["một hai", "ba bốn"]),
        ("a" * 9, 4, ["aaaa", "aaaa", "a"]),
        ("abcd \u0301efgh", 8, ["abcd \u0301ef", "gh"]),  # the mark stands on the space
    ],
)
def test_it_is_cut_where_a_reader_pauses(text: str, limit: int, wanted: list[str]) -> None:
    assert pieces(text, limit) == wanted


def test_instagram_counts_bytes() -> None:
    text = "ế" * 400  # 1200 bytes
    assert [len(piece) for piece in pieces(text, 1000, in_bytes=True)] == [333, 67]
    assert len(parts("instagram", OutboundEnvelope(idempotency_key="", to="1", text=text))) == 2
    assert len(parts("messenger", OutboundEnvelope(idempotency_key="", to="1", text=text))) == 1


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(ABILITIES)), texts, st.integers(0, 3), st.lists(st.text(min_size=1, max_size=9), max_size=20)
)
def test_parts_hold_everything_once(kind: str, text: str, count: int, choices: list[str]) -> None:
    files = tuple(OutboundFile(filename=f"{n}.pdf", content_type="application/pdf", path=str(n)) for n in range(count))
    whole = OutboundEnvelope(
        idempotency_key="", to="1", thread_key="k", text=text, files=files, choices=tuple(choices), quotes="q", mode="m"
    )
    found = parts(kind, whole)
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())
    assert tuple(file for one in found for file in one.files) == files
    assert all((one.to, one.thread_key, one.mode) == ("1", "k", "m") for one in found)
    if ABILITIES[kind].splits:
        assert [one.quotes for one in found] == ["q", *[""] * (len(found) - 1)] * bool(found)
        with_choices = [one for one in found if one.choices]
        assert len(with_choices) <= 1
        assert all(len(one.choices) <= ABILITIES[kind].choices and one.text for one in with_choices)
        assert all(bool(one.text) + len(one.files) == 1 for one in found)
    else:
        assert found == [whole]


def test_a_template_is_one_part_however_long_it_reads() -> None:
    whole = OutboundEnvelope(idempotency_key="", to="1", text="x" * 9000, template={"name": "hello"})
    assert parts("whatsapp", whole) == [whole]


@pytest.mark.parametrize(
    ("kind", "content_type", "limit"),
    [
        ("zalo", "image/png", MB),
        ("zalo", "video/mp4", 5 * MB),  # goes as a file
        ("sms", "image/png", 20 * MB),  # goes as an address
        ("instagram", "application/pdf", 0),
        ("whatsapp", "application/pdf", 100 * MB),
        ("email", "application/pdf", None),
        ("webchat", "image/png", None),
        ("nothing", "image/png", 0),
    ],
)
def test_how_large_a_file_may_be(kind: str, content_type: str, limit: int | None) -> None:
    assert file_limit(kind, content_type) == limit


def test_kinds_of_files() -> None:
    assert [file_kind(one) for one in ("image/png", "video/mp4", "audio/ogg", "text/plain", "", "IMAGE")] == [
        *("image", "video", "audio", "file", "file", "file")
    ]
