"""HEIC files, put together from the coded pictures in tests/data/heic (ISO 14496-12, ISO 23008-12)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from shared.processors.picture import boxes
from shared.settings import ROOT

DATA = ROOT / "tests" / "data" / "heic"


@dataclass(frozen=True)
class Item:
    """A picture, or metadata, with its properties; `refers` are kinds of references and the items that they name."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    refers: tuple[tuple[bytes, tuple[int, ...]], ...] = ()


def box(kind: bytes, *contents: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, contents)), kind) + b"".join(contents)


def full(kind: bytes, *contents: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *contents)


def size_of(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def stored(name: str) -> bytes:
    return (DATA / f"{name}.heic").read_bytes()


def coded(name: str, *properties: bytes) -> Item:
    """The main picture of a stored file, with its size, its configuration and further properties."""
    found = dict(boxes.properties(boxes.meta(DATA / f"{name}.heic")[0]))
    data = dict(boxes.inside(stored(name)))[b"mdat"]
    own = [box(kind, found[kind]) for kind in (b"ispe", b"hvcC")]
    return Item(b"hvc1", data, (*own, *properties))


def grid(columns: int, rows: int, width: int, height: int, tiles: Sequence[int]) -> Item:
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", data, (size_of(width, height),), ((b"dimg", tuple(tiles)),))


def exif(data: bytes) -> Item:
    return Item(b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + data, (), ((b"cdsc", (1,)),))


def container(*items: Item, primary: int = 1, brand: bytes = b"heic") -> bytes:
    """A file with these items, numbered from 1."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    places = [0] * len(items)
    start = len(head) + len(_meta(items, places, primary)) + 8
    places = [start + sum(len(item.data) for item in items[:number]) for number in range(len(items))]
    return head + _meta(items, places, primary) + box(b"mdat", *(item.data for item in items))


def _meta(items: Sequence[Item], places: Sequence[int], primary: int) -> bytes:
    count = struct.pack(">H", len(items))
    infos = [full(b"infe", struct.pack(">HH4sx", number, 0, item.kind), version=2) for number, item in enumerate(items, 1)]
    locations = [
        struct.pack(">HHHII", n, 0, 1, place, len(item.data))
        for n, place, item in zip(range(1, 99), places, items, strict=False)
    ]
    references = [
        box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
        for number, item in enumerate(items, 1)
        for kind, targets in item.refers
    ]
    return full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", primary)),
        full(b"iloc", b"\x44\0", count, *locations),
        full(b"iinf", count, *infos),
        *([full(b"iref", *references)] if references else []),
        _properties(items),
    )


def _properties(items: Sequence[Item]) -> bytes:
    every = [one for item in items for one in item.properties]
    associated, at = b"", 1
    for number, item in enumerate(items, 1):
        places = range(at, at + len(item.properties))
        associated += struct.pack(">HB", number, len(places)) + bytes(0x80 | place for place in places)
        at += len(places)
    return box(b"iprp", box(b"ipco", *every), full(b"ipma", struct.pack(">I", len(items)), associated))


def exif_data(**tags: object) -> bytes:
    data = Image.Exif()
    data[0x0112] = tags.get("orientation", 1)
    data[0x010F], data[0x0110] = "Apple", "iPhone 15"
    data.get_ifd(0x8769).update({0x9003: "2026:11:28 10:20:30", 0x9011: "+02:00"})
    data.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "W", 4: (13.0, 15.0, 0.0)})
    return data.tobytes().removeprefix(b"Exif\0\0")


def transform(word: str) -> bytes:
    return box(b"irot" if word[0] == "r" else b"imir", bytes([int(word[1])]))


def nclx(primaries: int, transfer: int, matrix: int = 6) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80))
