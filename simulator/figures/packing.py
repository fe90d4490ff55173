"""Pictures made small enough to be kept with the program: at most 256 colors, none seen to change.
Animations: fewer colors still, and of each frame only what is new in it.

A figure has some ten colors and thousands of mixtures of them, where the edge of a letter or a line
is smoothed. Merging mixtures that look the same leaves a quarter of the bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
"""Red, green and blue of every pixel: rows, columns, three."""

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
    codes = _codes(pixels)
    found, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colors = _colors(found)
    palette, nearest, loss = _palette(colors, counts, COLORS)
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


def pixels_of(content: bytes) -> Pixels:
    """Red, green and blue of every pixel of a PNG that is nowhere transparent."""
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def _codes(pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Each color as one number, which sorts a hundred times faster than three."""
    return pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)


def _colors(
    codes: np.ndarray[tuple[int, ...], np.dtype[np.uint32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The colors that such numbers stand for, a row each."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.int64)


def _palette(
    colors: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    most: int,
) -> tuple[list[int], np.ndarray[tuple[int, ...], np.dtype[np.int64]], int]:
    """Colors to keep, the place among them of what each color becomes, and the largest change.

    At most `most` are kept. After the most frequent ones, whichever color is farthest from all that
    are kept is kept too.
    """
    frequent = np.argsort(-counts, kind="stable")
    distance = np.full(len(colors), 256)
    nearest = np.zeros(len(colors), dtype=np.int64)
    palette: list[int] = []
    while len(palette) < min(most, len(colors)):
        place = len(palette)
        kept = int(frequent[place] if place < EXACT else distance.argmax())
        away = np.abs(colors - colors[kept]).max(axis=1)
        closer = away < distance
        distance[closer], nearest[closer] = away[closer], place
        palette.append(kept)
    return palette, nearest, int(distance.max())


# -- animations -----------------------------------------------------------------------------------

MIXTURES = 63
"""Colors of an animation: each frame is packed by itself, so fewer make it much smaller."""
_SEEN = 24
"""Frames from which the colors are taken."""


def animated(frames: Sequence[Pixels], milliseconds: Sequence[int], comment: bytes) -> bytes:
    """Frames as an animated GIF that begins anew when it has ended.

    All frames share one palette; of each, only what differs from the one before is written.
    """
    step = max(1, len(frames) // _SEEN)
    some = np.concatenate([frame.reshape(-1, 3) for frame in (*frames[::step], frames[-1])])
    found, counts = np.unique(_codes(some), return_counts=True)
    colors = _colors(found)
    kept, _, _ = _palette(colors, counts, MIXTURES)
    palette = colors[kept].astype(np.uint8).tobytes()
    model = Image.new("P", (1, 1))
    model.putpalette(palette)
    first, *others = (
        Image.fromarray(frame).quantize(palette=model, dither=Image.Dither.NONE) for frame in frames
    )
    file = io.BytesIO()
    first.save(
        file, "gif", save_all=True, append_images=others, duration=list(milliseconds), loop=0,
        palette=palette, transparency=len(kept), optimize=True, disposal=1, comment=comment,
    )  # fmt: skip
    return file.getvalue()
