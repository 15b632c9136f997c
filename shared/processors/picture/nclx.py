"""Colours that a container names by numbers (ITU-T H.273) instead of a profile, as an ICC profile."""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_BT709, _UNSPECIFIED = 1, 2
_PQ, _HLG = 16, 18
#: Transfer characteristics with a plain exponent. All others but PQ and HLG are seen as the curve of sRGB.
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_CURVE_STEPS = 1024
#: Luminance of white in a picture with PQ, in cd/m², and the signal of white in one with HLG (ITU-R BT.2408 §2.1).
_PQ_WHITE, _HLG_WHITE = 203, 0.75
_HLG_GAMMA = 1.2
#: White of ICC profiles, D50, and the Bradford matrix, which adapts another white to it (ICC.1:2022 §6.3.2, annex E).
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

Vector = Sequence[float]


def profile(nclx: Mapping[str, Any] | None) -> bytes | None:
    """The ICC profile; None for the colours of sRGB, and for those that are not stated."""
    if not nclx:
        return None
    transfer = nclx["transfer_characteristics"]
    if nclx["color_primaries"] in (_BT709, _UNSPECIFIED) and transfer not in (_PQ, _HLG, *_GAMMAS):
        return None
    points = [(nclx[f"color_primary_{name}_x"], nclx[f"color_primary_{name}_y"]) for name in ("red", "green", "blue", "white")]
    if nclx["color_primaries"] == _UNSPECIFIED or any(y <= 0 for _, y in points):
        points = [(0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (0.3127, 0.329)]
    columns = _adapted(*(_xyz(point) for point in points))
    tags = {name: _xyz_tag(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    curve = _curve_tag(_linear(transfer))
    return _file({**tags, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def _linear(transfer: int) -> Callable[[float], float]:
    """From a signal to light, each of which is 1 at white; brighter light than white is cut off."""
    if transfer == _PQ:
        return lambda signal: _pq(signal) / _PQ_WHITE
    if transfer == _HLG:
        return lambda signal: (_hlg(signal) / _hlg(_HLG_WHITE)) ** _HLG_GAMMA
    if gamma := _GAMMAS.get(transfer):
        return lambda signal: signal**gamma
    return lambda signal: signal / 12.92 if signal <= 0.04045 else ((signal + 0.055) / 1.055) ** 2.4


def _pq(signal: float) -> float:
    """cd/m² (SMPTE ST 2084)."""
    power = signal ** (32 / 2523)
    return 10_000 * float((max(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)) ** (16384 / 2610))


def _hlg(signal: float) -> float:
    """Light of the scene (ITU-R BT.2100 table 5)."""
    return signal * signal / 3 if signal <= 0.5 else (math.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _xyz(point: tuple[float, float]) -> Vector:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _adapted(red: Vector, green: Vector, blue: Vector, white: Vector) -> list[Vector]:
    """The primaries, scaled so that they add up to white, and adapted to D50."""
    cones, target = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    scaled = [tuple(part * d50 / own for part, d50, own in zip(row, target, cones, strict=True)) for row in _columns(_BRADFORD)]
    adaptation = _product(_inverse(_BRADFORD), _columns(scaled))
    amounts = _times(_inverse(_columns((red, green, blue))), white)
    primaries = zip((red, green, blue), amounts, strict=True)
    return [_times(adaptation, [amount * part for part in primary]) for primary, amount in primaries]


def _columns(matrix: Sequence[Vector]) -> list[Vector]:
    return list(zip(*matrix, strict=True))


def _times(matrix: Sequence[Vector], vector: Vector) -> list[float]:
    return [sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def _product(one: Sequence[Vector], other: Sequence[Vector]) -> list[Vector]:
    return _columns([_times(one, column) for column in _columns(other)])


def _inverse(matrix: Sequence[Vector]) -> list[Vector]:
    a, b, c = _columns(matrix)
    rows = (_cross(b, c), _cross(c, a), _cross(a, b))
    determinant = sum(one * other for one, other in zip(a, rows[0], strict=True))
    return [[part / determinant for part in row] for row in rows]


def _cross(one: Vector, other: Vector) -> Vector:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def _xyz_tag(values: Vector) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(value * 65_536) for value in values))


def _curve_tag(linear: Callable[[float], float]) -> bytes:
    values = (round(65_535 * min(linear(step / (_CURVE_STEPS - 1)), 1)) for step in range(_CURVE_STEPS))
    return b"curv" + struct.pack(f">4xI{_CURVE_STEPS}H", _CURVE_STEPS, *values)


def _file(tags: Mapping[bytes, bytes]) -> bytes:
    """A display profile with a matrix and curves (ICC.1:2022 §7, §8.4.3)."""
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    for content in dict.fromkeys(tags.values()):
        places[content] = at + len(data)
        data += content + bytes(-len(content) % 4)
    for name, content in tags.items():
        table += name + struct.pack(">II", places[content], len(content))
    white = struct.pack(">3i", *(round(value * 65_536) for value in _D50))
    head = struct.pack(">I4xI4s4s4s12x4s28x", at + len(data), 0x0430_0000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (head + white).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
