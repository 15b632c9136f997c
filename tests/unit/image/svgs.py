"""SVG drawings, as text."""

import base64

LINKS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
CLEAR = (0, 0, 0, 0)


def drawing(inside: str = "", attributes: str = 'width="10" height="20"') -> bytes:
    return f"<svg {LINKS} {attributes}>{inside}</svg>".encode()


def rect(paint: str = "#f00", size: str = 'width="10" height="20"') -> str:
    return f'<rect {size} fill="{paint}"/>'


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
