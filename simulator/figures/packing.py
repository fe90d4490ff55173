"""Pictures made small enough to be kept with the program: at most 256 colors, none seen to change.

A figure has some ten colors and thousands of mixtures of them, where the edge of a letter or a line
is smoothed. Merging mixtures that look the same leaves a quarter of the bytes.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

COLORS = 256
EXACT = 32
"""So many of the most frequent colors stay as they are: paper, ink, curves, shading."""
LOSS = 16
"""By how many of 256 levels a red, green or blue may change; no one can see that at an edge."""


def packed(content: bytes) -> bytes:
    """The same picture as a smaller PNG, on white.

    `content` is a PNG. No red, green or blue of any pixel changes by more than `LOSS`; where 256
    colors cannot do that, all colors are kept.
    """
    pixels = pixels_of(content)
    # A color as one number, which sorts a hundred times faster than three.
    codes = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    found, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colors = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.int64)
    palette, nearest, loss = _palette(colors, counts)
    picture = Image.fromarray(pixels)
    if loss <= LOSS:
        picture = Image.fromarray(nearest[where].reshape(codes.shape).astype(np.uint8))
        picture.putpalette(colors[palette].astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, "png", optimize=True)
    return file.getvalue()


def differing(one: bytes, other: bytes, levels: int = LOSS) -> int:
    """In how many pixels two PNGs differ by more than so many levels; all, if in size."""
    a, b = pixels_of(one).astype(np.int16), pixels_of(other).astype(np.int16)
    if a.shape != b.shape:
        return max(a.size, b.size) // 3
    return int((np.abs(a - b).max(axis=2) > levels).sum())


def pixels_of(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Red, green and blue of every pixel of a PNG that is nowhere transparent."""
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def _palette(
    colors: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> tuple[list[int], np.ndarray[tuple[int, ...], np.dtype[np.int64]], int]:
    """Colors to keep, the place among them of what each color becomes, and the largest change.

    After the most frequent ones, whichever color is farthest from all that are kept is kept too.
    """
    frequent = np.argsort(-counts, kind="stable")
    distance = np.full(len(colors), 256)
    nearest = np.zeros(len(colors), dtype=np.int64)
    palette: list[int] = []
    while len(palette) < min(COLORS, len(colors)):
        place = len(palette)
        kept = int(frequent[place] if place < EXACT else distance.argmax())
        away = np.abs(colors - colors[kept]).max(axis=1)
        closer = away < distance
        distance[closer], nearest[closer] = away[closer], place
        palette.append(kept)
    return palette, nearest, int(distance.max())
