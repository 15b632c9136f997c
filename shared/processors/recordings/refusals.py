"""From a complaint of ffmpeg or ffprobe to a verdict, which has words of its own."""

import errno
import re
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

from shared import media
from shared.errors import BadFile
from shared.processors import extras
from shared.processors.programs import ProgramCrashed, ProgramFailed

#: Formats that name other files or addresses.
_PLAYLISTS = {"concat", "hls", "dash", "webm_dash_manifest", "sdp", "rtsp", "rtp", "imf", "smil"}
#: The first bytes of those that this ffmpeg does not recognise, or only by the file's name.
_PLAYLIST_MARKS = (b"#EXTM3U", b"<MPD", b"[playlist]", b"<asx", b"<smil")
#: A demuxer that recognised the file, and may not open it.
_REFUSED = re.compile(r"\[([a-z0-9_,]{1,40}) @ 0x[0-9a-f]+\] Format not on whitelist")
#: ffmpeg catches the signal at the limit of CPU time, and ends with this status.
_SIGNALLED_STATUS = 255
#: Notes for an instrument, no sound.
_NO_RECORDINGS = ("audio/midi", "audio/x-midi")
_NO_MEMORY_STATUS = 256 - errno.ENOMEM


def missing(programs: Iterable[str]) -> BadFile:
    """The verdict where this machine has no ffmpeg."""
    names = " and ".join(programs)
    return BadFile(f"video and audio need the programs {names}; {extras.remedy('media')}", "unsupported")


def of(failed: ProgramFailed, source: Path) -> BadFile:
    """The verdict over a file with which a program failed. Raises `MemoryError` or `ProgramCrashed` at a limit."""
    if failed.status == _SIGNALLED_STATUS:
        raise ProgramCrashed("ffmpeg", signal.SIGXCPU)
    text = "\n".join(failed.complaints)
    if refused := _REFUSED.search(text):
        return _of_format(refused[1])
    if "max_streams" in text:
        return BadFile("it has more than 100 streams; save it with those that are needed", "too_many_streams")
    if failed.status == _NO_MEMORY_STATUS or "Cannot allocate memory" in text:
        raise MemoryError
    return _of_text(text) or _of_bytes(source)


def incomplete(complaints: Iterable[str]) -> Mapping[str, bool]:
    """The fact about a file that ends before its last picture or sound; nothing about others."""
    return {"incomplete": True} if any("partial file" in line for line in complaints) else {}


def _of_format(name: str) -> BadFile:
    if name.split(",")[0] in _PLAYLISTS:
        return _playlist(name)
    return BadFile(f"a file of the kind {name} is not opened; convert it to MP4, WebM, MP3 or FLAC", "unsupported")


def _playlist(kind: str) -> BadFile:
    return BadFile(f"a playlist ({kind}) names other files, which are never opened; upload the recording itself", "unsupported")


def _of_text(text: str) -> BadFile | None:
    if "moov atom not found" in text or "partial file" in text:
        return BadFile("it ends too early: the rest, or its index, is missing; upload it again, whole", "truncated")
    if "before EOF" in text or "Nothing was written" in text:
        return BadFile("it has nothing to show or to play; upload a recording that is longer", "no_output")
    if "hardware accelerated" in text or "Decoder not found" in text or "no decoder found" in text or "not implemented" in text:
        return BadFile("no decoder for its codec is installed; convert it to H.264 and AAC", "unsupported")
    return None


def _of_bytes(source: Path) -> BadFile:
    with source.open("rb") as file:
        head = file.read(media.HEAD_BYTES)
    if not head:
        return BadFile("the file is empty; upload it again, whole", "truncated")
    if head.lstrip().startswith(_PLAYLIST_MARKS):
        return _playlist("such as HLS or DASH")
    kind = media.sniff(head)
    if kind.startswith(("video/", "audio/")) and kind not in _NO_RECORDINGS:
        return BadFile("its header or its streams are damaged; save it again, and upload that", "corrupt")
    return BadFile("the bytes are those of no video or audio that is opened; upload a recording", "unsupported")
