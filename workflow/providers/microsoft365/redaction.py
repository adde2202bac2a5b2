"""What a service says in an error, made fit to show: no secret, no control character, not too long."""

from __future__ import annotations

import re

_LONGEST = 400
_TOKEN = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{20,}")
_NAMED = re.compile(
    # Only from where a name begins: from within a long one each letter would be tried again.
    r"(?i)(\"?(?<![\w-])[\w-]*(?:password|passwd|secret|assertion|access_token|refresh_token|device_code)\"?\s*[:=]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"
)
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|$)", re.DOTALL)
_ID = re.compile(r"[0-9A-Za-z-]{1,100}")


def redacted(text: str) -> str:
    """Return a service's text without tokens, passwords and keys, on one line, shortened."""
    for pattern in (_PEM, _TOKEN):
        text = pattern.sub("…", text)
    text = _NAMED.sub(r"\1…", _BEARER.sub(r"\1 …", text))
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def request_id(text: str) -> str:
    """Return a service's request id, or "" when it is none."""
    return text if _ID.fullmatch(text) else ""
