"""The design tokens: every text is legible on what it stands on, in light and in dark."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parent.parent / "helpdesk/static/tokens.css").read_text()
TEXT = ["text", "text-quiet", "accent", "note", "fault", "wait-ok", "wait-soon", "wait-late"]
SURFACES = ["surface", "surface-sunken", "surface-raised", "surface-hover", "surface-chosen"]
TINTED = [
    ("note", "note-tint"),
    ("fault", "fault-tint"),
    ("text", "accent-tint"),
    ("accent-text", "accent"),
    ("text", "note-tint"),
]


def block(selector: str) -> dict[str, str]:
    start = CSS.index(selector)
    inner = CSS[CSS.index("{", start) + 1 : CSS.index("}", start)]
    return dict(re.findall(r"--([a-z_-]+):\s*(#[0-9a-f]{6})", inner))


LIGHT = block(":root {")
DARK = LIGHT | block(':root[data-theme="dark"]')


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_legible_on_every_surface(theme: dict[str, str]) -> None:
    pairs = [(text, surface) for text in TEXT for surface in SURFACES] + TINTED
    faint = {pair: round(ratio, 2) for pair in pairs if (ratio := contrast(theme[pair[0]], theme[pair[1]])) < 4.5}
    assert not faint


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_channel_glyphs_can_be_told_from_the_ground(theme: dict[str, str]) -> None:
    glyphs = [name for name in theme if name.startswith("channel-")]
    assert len(glyphs) == 13
    faint = [name for name in glyphs for surface in SURFACES if contrast(theme[name], theme[surface]) < 3]
    assert not faint


def test_the_forced_dark_is_the_readers_dark() -> None:
    assert block(':root:not([data-theme="light"])') == block(':root[data-theme="dark"]')
