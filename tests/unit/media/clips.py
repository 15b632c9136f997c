"""Small recordings, made by ffmpeg itself from its own test patterns. Each is made once."""

import functools
import io
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from shared.processors import extras, programs

FOUND = programs.find(("ffmpeg", "ffprobe"))
needs_ffmpeg = pytest.mark.skipif(len(FOUND) < 2, reason=extras.remedy("media"))

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
#: The left half red, the right half blue, 160 × 80 pixels.
HALVES = "color=red:s=80x80:r=10:d=1[a];color=blue:s=80x80:r=10:d=1[b];[a][b]hstack"
PATTERN = "testsrc=s=320x180:r=10:d=2"
TONE = "sine=f=440:r=44100:d=2,aformat=channel_layouts=stereo"


def ffmpeg(*arguments: str) -> None:
    """Run it. `CalledProcessError` has its complaints."""
    subprocess.run([FOUND["ffmpeg"], "-nostdin", "-v", "error", "-y", *arguments], check=True, capture_output=True)


@functools.cache
def made(ending: str, *arguments: str, file: bytes = b"") -> bytes:
    """The recording that ffmpeg makes with these arguments; `FILE` in them is a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path, given = Path(folder) / f"made.{ending}", Path(folder) / "given"
        given.write_bytes(file)
        ffmpeg(*(str(given) if word == "FILE" else word for word in arguments), str(path))
        return path.read_bytes()


def patterns(*filters: str) -> tuple[str, ...]:
    """Arguments for inputs of these test patterns."""
    return tuple(word for one in filters for word in ("-f", "lavfi", "-i", one))


def film(*more: str, ending: str = "mp4") -> bytes:
    """Two seconds, 320 × 180 pixels, 10 pictures a second; a tone in two channels."""
    return made(ending, *patterns(PATTERN, TONE), *H264, "-c:a", "aac", *more)


def turned(degrees: int) -> bytes:
    """Red left and blue right as stored, to be shown after this turn, counterclockwise, in degrees."""
    stored = made("mp4", *patterns(HALVES), *H264)
    return made("mp4", "-display_rotation", str(degrees), "-i", "FILE", "-c", "copy", file=stored)


def song() -> bytes:
    """An MP3 with a cover of 64 × 64 pixels, a title and an artist."""
    cover = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(cover, "JPEG")
    words = ("-metadata", "title=Sea\nsong", "-metadata", "artist=A. Singer")
    streams = ("-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
    tone = patterns("sine=f=440:r=44100:d=1")
    return made("mp3", *tone, "-f", "jpeg_pipe", "-i", "FILE", *streams, *words, file=cover.getvalue())


def empty() -> bytes:
    """A film with sound whose index is there, and has no picture and no sample."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.mp4"
        inputs, none = patterns("testsrc=s=64x64:r=10:d=1", "sine=d=1"), ("-frames:v", "0", "-frames:a", "0")
        command: list[str | Path] = [
            FOUND["ffmpeg"],
            "-nostdin",
            "-v",
            "quiet",
            *inputs,
            *none,
            *H264,
            "-movflags",
            "+empty_moov",
            path,
        ]
        subprocess.run(command, check=False)  # it complains, and writes the index
        return path.read_bytes()


def of_streams(count: int) -> bytes:
    """The header of an AVI with so many streams of sound, as the format has it; no samples."""
    head = _chunk(b"strh", b"auds" + bytes(16) + struct.pack("<II", 1, 8000) + bytes(28))
    stream = _chunk(b"LIST", b"strl" + head + _chunk(b"strf", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)))
    main = _chunk(b"avih", struct.pack("<14I", *[0] * 6, count, *[0] * 7))
    whole = b"AVI " + _chunk(b"LIST", b"hdrl" + main + stream * count) + _chunk(b"LIST", b"movi")
    return _chunk(b"RIFF", whole)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data
