"""Made-up pictures of made-up people: a head and shoulders before a colour of their own, as PNG."""

import struct
import zlib
from functools import cache

SIDE = 64
_GROUNDS = ((196, 108, 84), (72, 124, 140), (140, 112, 168), (96, 136, 88), (188, 140, 64), (84, 104, 160))


@cache
def portrait(person: str) -> bytes:
    """The same picture for the same person, whenever it is asked for."""
    ground = _GROUNDS[zlib.crc32(person.encode()) % len(_GROUNDS)]
    figure = tuple((part + 2 * 255) // 3 for part in ground)
    rows = b"".join(
        b"\0" + b"".join(bytes(figure if _is_figure(x, y) else ground) for x in range(SIDE)) for y in range(SIDE)
    )
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    pieces = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def _is_figure(x: int, y: int) -> bool:
    is_head = (x - 32) ** 2 + (y - 25) ** 2 < 12**2
    return is_head or ((x - 32) / 22) ** 2 + ((y - 64) / 22) ** 2 < 1


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
