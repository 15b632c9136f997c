"""ISO base media files and QuickTime: pictures, sound and video whose brands name them (ISO 14496-12 §4.3)."""

#: Sequences too: their first picture is opened (ISO 23008-12 §10).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_HEIF = {b"mif1", b"msf1"}
#: First brands that do not mean video in MP4.
_MAJOR = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"M4V ": "video/x-m4v",
    b"M4VH": "video/x-m4v",
    b"M4VP": "video/x-m4v",
    b"crx ": "image/x-canon-cr3",
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
}
#: Atoms that a QuickTime file without brands begins with (QuickTime File Format, overview of the file).
_ATOMS = (b"moov", b"mdat", b"wide", b"pnot")


def by_brand(head: bytes) -> str | None:
    """The type by the brands, else None."""
    kind, major = head[4:8], head[8:12]
    if kind in _ATOMS:
        return "video/quicktime"
    if kind != b"ftyp" or len(major) < 4:
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {major, *(head[at : at + 4] for at in range(16, end, 4))}
    for named, content_type in ((_AVIF, "image/avif"), (_HEIC, "image/heic"), (_HEIF, "image/heif")):
        if brands & named:
            return content_type
    if major.startswith((b"3gp", b"3gr", b"3gs", b"3ge")):
        return "video/3gpp"
    return "video/3gpp2" if major.startswith(b"3g2") else _MAJOR.get(major, "video/mp4")
