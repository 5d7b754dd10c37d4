"""Keys taken out of what providers and libraries say: their errors quote requests, and those carry the key."""

import json
from urllib.parse import quote

REDACTED = "[key]"
SHORTEST_KEY = 8  # characters; a shorter "key" of a local server is no secret, and is found in ordinary words


def redact(text: str, key: str) -> str:
    """The text without the key, as it is, percent-encoded or escaped as in JSON. Not covered: parts of a key."""
    if len(key) < SHORTEST_KEY:
        return text
    for spelling in {key, quote(key), quote(key, safe=""), json.dumps(key)[1:-1]}:
        text = text.replace(spelling, REDACTED)
    return text
