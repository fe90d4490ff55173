"""A resolved scenario as YAML, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from simulator.scenario.reader import RESOLVERS


class _Dumper(yaml.SafeDumper):
    """Quotes text that this program, or a reader of YAML 1.1, would take for something else."""


class _QuickDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The same in C, which writes a character such as 😀 by its number."""


for _kind, _pattern, _first in RESOLVERS:
    for _dumper in (_Dumper, _QuickDumper):
        _dumper.add_implicit_resolver(
            f"tag:yaml.org,2002:{_kind}",
            re.compile(_pattern),
            [*_first, *([""] if _kind == "null" else [])],
        )


def to_yaml(document: Mapping[str, Any]) -> str:
    """The document as text that reads back as the same document."""
    text = _dumped(document, _QuickDumper)
    return _dumped(document, _Dumper) if "\\U" in text else text


def _dumped(document: Mapping[str, Any], dumper: Any) -> str:
    return str(
        yaml.dump(
            dict(document),
            Dumper=dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=100,
        )
    )


def fingerprint(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document's canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
