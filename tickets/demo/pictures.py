"""The demo's pictures, drawn when they are needed: PNG of a type plate and of a parcel."""

import struct
import zlib
from collections.abc import Callable

WIDTH, HEIGHT = 320, 200
Colour = tuple[int, int, int]


def plate() -> bytes:
    """Grey, with a lighter label."""
    return _drawn(lambda x, y: (230, 230, 230) if 40 < x < 280 and 60 < y < 140 else (120, 120, 120))


def parcel() -> bytes:
    """A brown box with a strip of tape and a label, on a table."""
    return _drawn(_parcel)


def _parcel(x: int, y: int) -> Colour:
    if not (70 < x < 250 and 40 < y < 165):
        return (214, 205, 190) if y < 120 else (176, 160, 138)
    if 148 < x < 172 and y < 120:
        return (224, 206, 164)
    if 185 < x < 238 and 62 < y < 98:
        return (245, 245, 240) if (y - 62) % 9 > 2 or x > 228 else (90, 90, 90)
    crushed = x + y > 385
    return (128, 88, 48) if crushed else (188, 140, 88) if y > 52 else (170, 124, 76)


def _drawn(colour: Callable[[int, int], Colour]) -> bytes:
    rows = b"".join(b"\0" + b"".join(bytes(colour(x, y)) for x in range(WIDTH)) for y in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pieces = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
