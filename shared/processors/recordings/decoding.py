"""The arguments that every run of ffmpeg and ffprobe begins with."""

from pathlib import Path

#: Names of the demuxers that may open a file. None of them opens another file or address: no playlists, no numbered pictures.
FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv", "mpeg", "mpegts"),
    *("mp3", "aac", "ogg", "wav", "flac", "aiff", "caf", "amr"),
)
INPUT = ("-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS), "-i")
#: The same on every machine: x264 makes other bytes with other numbers of threads.
THREADS = ("-threads", "4")
#: Outputs carry neither the sender's data nor the version of the program.
BARE = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")
#: To the curves and primaries of usual screens.
_TO_SDR = "out_transfer=bt709:out_primaries=bt709:out_color_matrix=bt709"


def begin(source: Path, *before: str) -> tuple[str, ...]:
    """Open a file; `before` are options of the input."""
    return ("-nostdin", "-hide_banner", "-v", "error", "-y", *THREADS, *before, *INPUT, f"file:{source}")


def scaling(width: int, height: int, *, hdr: str) -> str:
    """A filter to this size in square pixels; pictures of high dynamic range become usual ones."""
    return f"scale={width}:{height}:flags=bicubic" + (f":{_TO_SDR}" if hdr else "") + ",setsar=1"
