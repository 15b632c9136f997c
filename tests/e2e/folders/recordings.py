"""Recordings, archives, and files for a scanner and a service; and the table of how each ends."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator

from tests.clamd import INFECTED
from tests.e2e.folders.sending import PARTIAL, Sent
from tests.unit.archive import archives
from tests.unit.archive.archives import tar_member, tarred, zipped
from tests.unit.media import clips

FAILED = "failed"


def every() -> list[Sent]:
    """All files but those for the scanner and the service."""
    return [*films(), *sounds(), *broken_recordings(), *zips(), *tars(), *broken_archives()]


def films() -> Iterator[Sent]:
    """Films in each usual container: upright, turned, silent."""
    size = {"width_px": 320, "height_px": 180, "has_video": True, "has_audio": True}
    for ending, name in {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "avi": "avi"}.items():
        yield Sent(f"films/film.{ending}", clips.film(ending=ending), "video", {**size, "format": name})
        yield Sent(f"films/shown.{ending}", clips.film(ending=ending), "preview")
    for degrees, turn in {90: 270, 180: 180, 270: 90}.items():
        upright = (160, 80) if degrees == 180 else (80, 160)
        facts = {"rotation_degrees": turn, "width_px": upright[0], "height_px": upright[1]}
        yield Sent(f"films/turned-{degrees}.mp4", clips.turned(degrees), "video", facts)
    silent = clips.made("mp4", *clips.patterns(clips.HALVES), *clips.H264)
    yield Sent("films/silent.mp4", silent, "video", {"has_audio": False, "width_px": 160})
    yield Sent("films/silent-2.mp4", silent, "waveform", reason="when")


def sounds() -> Iterator[Sent]:
    """Sounds in each usual container, and a song with its cover."""
    for ending in ("wav", "flac", "mp3", "m4a"):
        sound = clips.made(ending, *clips.patterns("sine=f=440:r=44100:d=2"))
        yield Sent(f"sounds/tone.{ending}", sound, "video", {"has_video": False, "channels": 1, "sample_rate_hz": 44100})
        yield Sent(f"sounds/drawn.{ending}", sound, "waveform")
        yield Sent(f"sounds/no-poster.{ending}", sound, "poster", reason="when")
    yield Sent("sounds/song.mp3", clips.song(), "video", {"has_cover": True, "has_video": False, "title": "Sea song"})


def broken_recordings() -> Iterator[Sent]:
    """Playlists are never followed; damage has a name. Digests succeed."""
    film = clips.film()
    files = {
        "playlist.mp4": (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", "unsupported"),
        "list.mp4": (b"ffconcat version 1.0\nfile /etc/passwd\n", "unsupported"),
        "text.mp3": (b"no music\n" * 20, "unsupported"),
        "cut.mp4": (film[: len(film) // 2], "truncated"),
        "streams.avi": (clips.of_streams(1000), "too_many_streams"),
    }
    for name, (data, reason) in files.items():
        yield Sent(f"films/{name}", data, "video", {}, PARTIAL, reason)


def zips() -> Iterator[Sent]:
    """Zip archives of some files, of folders, links and unsafe paths."""
    for count in range(1, 26):
        members = {f"{number}.txt": b"four" for number in range(count)}
        facts = {"format": "zip", "members": count, "unpacked_bytes": 4 * count, "kinds": {"file": count}}
        yield Sent(f"zips/{count}.zip", zipped(members), "members", facts)
    unsafe = zipped({"/etc/passwd": b"x", "../up": b"x", "C:\\x": b"x", "fine": b"x"})
    yield Sent("zips/unsafe.zip", unsafe, "members", {"members": 4, "unsafe_paths": 3})
    link = zipped({"to": b"/etc/passwd"}, modes={"to": stat.S_IFLNK | 0o777})
    yield Sent("zips/link.zip", link, "members", {"kinds": {"link": 1}})
    yield Sent("zips/locked.zip", archives.encrypted(zipped({"a": b"x"})), "members", {"encrypted_members": 1})
    nested = zipped({"a": b"x"})
    for _ in range(6):
        nested = zipped({f"{number}.zip": nested for number in range(3)})
    yield Sent("zips/nested.zip", nested, "members", {"members": 3})


def tars() -> Iterator[Sent]:
    """Tar archives, plain and packed."""
    for ending, mode in {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}.items():
        for count in (1, 3, 7):
            data = io.BytesIO()
            with tarfile.open(mode=mode, fileobj=data) as archive:  # type: ignore[call-overload]
                for number in range(count):
                    info, content = tar_member(f"{number}.txt", data=b"four")
                    archive.addfile(info, io.BytesIO(content))
            kind = "tar.gz" if ending == "tgz" else ending
            facts = {"format": kind, "members": count, "unpacked_bytes": 4 * count}
            yield Sent(f"tars/{count}.{ending}", data.getvalue(), "members", facts)
    device, link = tar_member("null", tarfile.CHRTYPE), tar_member("to", tarfile.SYMTYPE, target="/etc/passwd")
    yield Sent("tars/device.tar", tarred(device, link), "members", {"kinds": {"device": 1, "link": 1}})


def broken_archives() -> Iterator[Sent]:
    """Bombs, lies and other kinds."""
    whole = zipped({"a.txt": b"text" * 100})
    tar = tarred(tar_member("a.txt", data=b"x" * 2000))
    files = {
        "overlapping.zip": (archives.overlapping(), "overlapping_members"),
        "bomb.zip": (zipped({"a": bytes(50 << 20)}, compression=zipfile.ZIP_DEFLATED), "unpacks_too_large"),
        "cut.zip": (whole[:-30], "truncated"),
        "seven.zip": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "unsupported"),
        "rar.zip": (b"Rar!\x1a\x07\x01\x00" + bytes(100), "unsupported"),
        "noise.zip": (b"\0\1\2\3" * 100, "unsupported"),
        "cut.tar": (tar[:1500], "truncated"),
        "lies.tar": (archives.with_checksum(archives.patched(tar[:512], 124, b"\xff" * 12)) + tar[512:], "corrupt"),
    }
    for name, (data, reason) in files.items():
        yield Sent(f"zips/{name}", data, "members", {}, PARTIAL, reason)


def scanned() -> Iterator[Sent]:
    """Clean files, infected ones, and a large one. The step behind the scan runs for clean ones alone."""
    for count in range(1, 6):
        yield Sent(f"scan/{count}.txt", b"clean\n" * count, "scan", {"clean": True})
        yield Sent(f"scan/after-{count}.txt", b"clean\n" * count, "gated", {"lines": count})
    yield Sent("scan/infected.txt", INFECTED, "scan", {}, PARTIAL, "infected")
    yield Sent("scan/behind.txt", INFECTED, "gated", {}, PARTIAL, "after_failed")
    yield Sent("scan/large.txt", b"x" * 1_500_000, "scan", {}, PARTIAL, "not_scanned")


def called() -> Iterator[Sent]:
    """Texts whose lines a service counts, and one that it refuses."""
    for count in range(1, 8):
        yield Sent(f"call/{count}.txt", b"line\n" * count, "count", {"lines": count, "bytes": 5 * count})
    yield Sent("call/noise.txt", b"\xff\xfe\xfd" * 10, "count", {}, PARTIAL, "refused_by_service")
