"""The page itself: its parts as built from ``web/``, and the documents made of them.

Nothing of a run is ever written into the markup: data goes in as JSON inside a script element that
the browser does not run, with the three characters escaped that could end it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parent / "static"
LIVE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the live page."""


def part(name: str) -> str:
    """A built file of the page: ``page.js``, ``page.css`` or ``page.html`` (its body)."""
    return (STATIC / name).read_text(encoding="utf-8")


def live_document(title: str) -> str:
    """The page that talks to a server."""
    head = '<link rel="stylesheet" href="page.css"><script src="page.js" defer></script>'
    return _document(title, head, part("page.html"))


def embedded_document(title: str, data: Mapping[str, Any], extra: str = "") -> str:
    """The page as one file with its data, which needs no network and allows none.

    `extra`: markup of ours after the page's own (figures as images).
    """
    script, style = part("page.js"), part("page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style>'
    body = (
        f"{part('page.html')}{extra}"
        f'<script type="application/json" id="embedded">{as_json(data)}</script>'
        f"<script>{script}</script>"
    )
    return _document(title, head, body)


def as_json(data: Any) -> str:
    """Data as JSON that can stand in a script element."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _document(title: str, head: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{html.escape(title)}</title>{head}</head>'
        f"<body>{body}</body></html>\n"
    )
