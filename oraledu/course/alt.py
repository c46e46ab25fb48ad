"""Words for those who do not see a picture."""

import html
from typing import Any


def mimebundle(png: bytes, alt: str, size: tuple[int, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and metadata with which Jupyter shows a picture, `size` CSS pixels large, and its alt text."""
    width, height = size
    data = {"image/png": png, "text/plain": alt}
    return data, {"image/png": {"width": width, "height": height, "alt": alt}}


def spoken(text: str, *, role: str = "note") -> str:
    """HTML that a screen reader reads and that takes no room on the page."""
    style = "position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden"
    return f'<p class="jp-sr-only" role="{role}" style="{style}">{html.escape(text)}</p>'
