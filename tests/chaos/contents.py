"""The files that are sent, and how to find out which file an output was made from."""

import hashlib
import io
import random
from dataclasses import dataclass

from PIL import Image

#: Kind → its share of all files. `two` has two first tasks, `bulk` the queue that is purged; `broken` and `binary` are poison.
SHARES = {"text": 62, "two": 12, "bulk": 8, "picture": 12, "broken": 3, "binary": 3}
POISON = ("broken", "binary")
#: A picture is a field of black and white squares, the bits of its token.
SIDE, SQUARE = 8, 10


@dataclass(frozen=True)
class Content:
    """A file to send. Each has a token of its own: an output that shows another one was made from another file."""

    kind: str
    token: str
    data: bytes

    @property
    def content_type(self) -> str:
        return "image/png" if self.kind in ("picture", "broken") else "text/plain"

    @property
    def suffix(self) -> str:
        return "png" if self.content_type == "image/png" else "txt"


def drawn(draw: random.Random) -> Content:
    """A file of a kind that is drawn by its share."""
    (kind,) = draw.choices(list(SHARES), list(SHARES.values()))
    return made(kind, f"{draw.getrandbits(64):016x}")


def made(kind: str, token: str) -> Content:
    """The file of this kind with this token."""
    if kind == "picture":
        return Content(kind, token, _picture(token))
    if kind == "broken":
        return Content(kind, token, _picture(token)[:-40])
    text = f"this is {token}\n".encode() * (1 + int(token[:2], 16) % 60)
    return Content(kind, token, text + bytes(range(32)) * 40 if kind == "binary" else text)


def shown(data: bytes, suffix: str) -> str:
    """The token that an output shows; empty where it shows none, or several."""
    if suffix == "png":
        return _of_picture(data)
    tokens = {line.removeprefix("this is ") for line in data.decode(errors="replace").splitlines() if line}
    return tokens.pop() if len(tokens) == 1 else ""


def _picture(token: str) -> bytes:
    bits = [int(token, 16) >> number & 1 for number in range(SIDE * SIDE)]
    small = Image.new("L", (SIDE, SIDE))
    small.putdata([255 * bit for bit in bits])
    buffer = io.BytesIO()
    noise = Image.frombytes("L", (SIDE * SQUARE,) * 2, _noise(token))
    squares = small.resize(noise.size, Image.Resampling.NEAREST)
    Image.blend(squares, noise, 0.2).save(buffer, "PNG")
    return buffer.getvalue()


def _noise(token: str) -> bytes:
    """Bytes without a pattern: a picture that is cut off anywhere lacks something."""
    return hashlib.shake_128(token.encode()).digest((SIDE * SQUARE) ** 2)


def _of_picture(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as picture:
        squares = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()
    return f"{sum((level > 127) << number for number, level in enumerate(squares)):016x}"
