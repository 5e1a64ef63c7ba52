"""Names out of a file as TOML: whatever signs they hold."""

from __future__ import annotations

import json
import re
from typing import Any

# What JSON leaves bare and TOML does not allow; halves of pairs are no signs in any encoding.
UNESCAPED = re.compile("\x7f")
HALVES = re.compile("[\ud800-\udfff]")


def text_of(value: Any) -> str:
    """A text or a list of texts as TOML."""
    told = HALVES.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    return UNESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", told)
