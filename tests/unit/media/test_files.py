"""Files of many kinds have the type that a person would give them, by their first bytes, declared type and name."""

import bz2
import lzma
import tarfile

import filetype
import pytest

from shared import media
from tests.unit.media import containers as made
from tests.unit.media.containers import OPEN_XML

UNKNOWN, TEXT, ZIP = "application/octet-stream", "text/plain", "application/zip"
WORD, EXCEL = f"{OPEN_XML}.wordprocessingml.document", f"{OPEN_XML}.spreadsheetml.sheet"
POWERPOINT = f"{OPEN_XML}.presentationml.presentation"
ODF = "application/vnd.oasis.opendocument"
DOCM = "application/vnd.ms-word.document.macroenabled.12"
JAR, APK, EPUB = "application/java-archive", "application/vnd.android.package-archive", "application/epub+zip"
KMZ, USDZ = "application/vnd.google-earth.kmz", "model/vnd.usdz+zip"
OLE = "application/x-ole-storage"

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0" + bytes(40)
APNG = PNG[:33] + b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0" + bytes(40)
BINARY = b"\0\1\2\3\4\xff\xfe" * 20
MAIL = b"Received: from a\n by b; Mon, 1 Jan 2024 00:00:00 +0000\nFrom: A <a@b.c>\nSubject: Hi\n\nText, of a mail\n"
LONG_JSON = b'{"a": [' + b'{"b": "x, y", "c": -1.5e3, "d": [true, null]},\n' * 300 + b"0]}"
LONG_LINES = b'{"a": 1, "b": "x"}\n' * 1000
LONG_CSV = b"id,name,size\n" + b'17,"cat, black",3.5\n' * 1000
LONG_XML = b"<notes xmlns='urn:x'>" + b"<note a='b'>text</note>\n" * 1000 + b"</notes>"
CODE = b'int main(void) {\n\tprintf("a,b");\n\treturn max(1,2);\n}\n'
PROSE = b"Dear Ann, dear Bob,\nthe sun shines, at last.\nYours, Carl\n"
LOG = b"2024-01-01 10:00:00,123 INFO it starts\n2024-01-01 10:00:01,456 INFO it ends\n2024-01-01 10:00:02,789 INFO bye\n"
HTML = b"<!DOCTYPE html>\n<html><body>hi</body></html>\n"

#: what → first bytes, the type that they show
SHOWN = {
    # pictures
    "png": (PNG, "image/png"),
    "animated png": (APNG, "image/png"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(40), "image/jpeg"),
    "gif": (b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(20), "image/gif"),
    "webp": (made.riff(b"WEBPVP8 "), "image/webp"),
    "tiff": (b"II*\0\x08\0\0\0" + bytes(40), "image/tiff"),
    "bmp": (made.bitmap(), "image/bmp"),
    "no bmp": (b"BM\xff\xfe" + b"\x99" * 60, UNKNOWN),
    "ico": (b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0" + bytes(20), "image/x-icon"),
    "psd": (b"8BPS\0\x01" + bytes(40), "image/vnd.adobe.photoshop"),
    "jxl": (b"\xff\x0a\xfa\x1f" + bytes(40), "image/jxl"),
    "jxl in boxes": (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl " + bytes(40), "image/jxl"),
    "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 " + bytes(40), "image/jp2"),
    "djvu": (b"AT&TFORM\0\0\0\x40DJVU" + bytes(40), "image/vnd.djvu"),
    "svg": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "svgz": (made.packed(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "image/svg+xml"),
    # brands
    "avif": (made.brands(b"avif", b"mif1", b"miaf"), "image/avif"),
    "avif by a later brand": (made.brands(b"mif1", b"avif"), "image/avif"),
    "heic": (made.brands(b"heic", b"mif1", b"heic"), "image/heic"),
    "heif": (made.brands(b"mif1", b"miaf"), "image/heif"),
    "mp4": (made.brands(b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4"),
    "mp4 of a camera": (made.brands(b"mp42", b"isom"), "video/mp4"),
    "mp4 for streaming": (made.brands(b"iso5", b"dash"), "video/mp4"),
    "m4a": (made.brands(b"M4A ", b"isom"), "audio/mp4"),
    "m4b": (made.brands(b"M4B ", b"isom"), "audio/mp4"),
    "m4v": (made.brands(b"M4V ", b"isom"), "video/x-m4v"),
    "mov": (made.brands(b"qt  ", b"qt  "), "video/quicktime"),
    "mov without brands": (made.atom(b"moov"), "video/quicktime"),
    "3gp": (made.brands(b"3gp5", b"isom"), "video/3gpp"),
    "cr3": (made.brands(b"crx ", b"isom"), "image/x-canon-cr3"),
    # sound and video
    "mp3 with a tag": (b"ID3\x04\0\0\0\0\0\x0a" + bytes(60), "audio/mpeg"),
    "mp3": (made.frames(), "audio/mpeg"),
    "mp3 of mpeg 2": (b"\xff\xf3\x44\xc4" + bytes(60), "audio/mpeg"),
    "aac": (b"\xff\xf1\x50\x80" + bytes(60), "audio/aac"),
    "flac": (b"fLaC\0\0\0\x22" + bytes(60), "audio/x-flac"),
    "wav": (made.riff(b"WAVE"), "audio/x-wav"),
    "avi": (made.riff(b"AVI "), "video/x-msvideo"),
    "aiff": (b"FORM\0\0\0\x40AIFFCOMM" + bytes(40), "audio/x-aiff"),
    "midi": (b"MThd\0\0\0\x06" + bytes(40), "audio/midi"),
    "ogg": (made.ogg(b"\x01vorbis"), "audio/ogg"),
    "opus": (made.ogg(b"OpusHead"), "audio/ogg"),
    "ogv": (made.ogg(b"\x80theora"), "video/ogg"),
    "webm": (made.matroska(b"webm"), "video/webm"),
    "mkv": (made.matroska(b"matroska"), "video/x-matroska"),
    "flv": (b"FLV\x01\x05\0\0\0\x09" + bytes(40), "video/x-flv"),
    "mpeg": (b"\0\0\x01\xba" + bytes(40), "video/mpeg"),
    "ts": (made.transport(), "video/mp2t"),
    "wmv": (bytes.fromhex("3026b2758e66cf11a6d9") + bytes(40), "video/x-ms-wmv"),
    # archives
    "zip": (made.zipped(("a.txt", b"abc")), ZIP),
    "zip of nothing": (made.zipped(), ZIP),
    "zip of a folder named word": (made.zipped(("word/notes.txt", b"abc")), ZIP),
    "zip of a docx": (made.zipped(("a.png", made.package(f"{WORD}.main+xml"))), ZIP),
    "gz": (made.packed(b"abc"), "application/gzip"),
    "bz2": (bz2.compress(b"abc"), "application/x-bzip2"),
    "xz": (lzma.compress(b"abc"), "application/x-xz"),
    "zst": (b"\x28\xb5\x2f\xfd\x04\x00" + bytes(20), "application/zstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(40), "application/x-7z-compressed"),
    "rar": (b"Rar!\x1a\x07\x01\0" + bytes(40), "application/x-rar-compressed"),
    "tar": (made.tar(tarfile.PAX_FORMAT), "application/x-tar"),
    "tar of gnu": (made.tar(tarfile.GNU_FORMAT), "application/x-tar"),
    "tar of unix 7": (made.old_tar(), "application/x-tar"),
    "cab": (b"MSCF\0\0\0\0" + bytes(40), "application/vnd.ms-cab-compressed"),
    "deb": (b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n\0\xff", "application/x-deb"),
    # zipped documents and programs
    "docx": (made.package(f"{WORD}.main+xml", ("word/document.xml", b"<d/>")), WORD),
    "docx streamed": (made.package(f"{WORD}.main+xml", is_streamed=True), WORD),
    "docm": (made.package("application/vnd.ms-word.document.macroEnabled.main+xml", ("word/document.xml", b"<d/>")), DOCM),
    "xlsx": (made.package(f"{EXCEL}.main+xml"), EXCEL),
    "pptx": (made.package(f"{POWERPOINT}.main+xml"), POWERPOINT),
    "docx without its list in front": (made.zipped(("_rels/.rels", b"<r/>"), ("word/document.xml", b"<d/>")), WORD),
    "docx with a picture in front": (made.unordered("word/media/image1.png"), WORD),
    "xlsx streamed, of a library": (made.zipped(("xl/worksheets/sheet1.xml", b"<d/>"), is_streamed=True), EXCEL),
    "odt": (made.named(f"{ODF}.text"), f"{ODF}.text"),
    "ods": (made.named(f"{ODF}.spreadsheet"), f"{ODF}.spreadsheet"),
    "odp": (made.named(f"{ODF}.presentation"), f"{ODF}.presentation"),
    "ott": (made.named(f"{ODF}.text-template"), f"{ODF}.text-template"),
    "epub": (made.named(EPUB), EPUB),
    "zip that claims to be a jpeg": (made.named("image/jpeg"), ZIP),
    "jar": (made.zipped(("META-INF/", b""), ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")), JAR),
    "apk": (made.zipped(("META-INF/MANIFEST.MF", b"x"), ("AndroidManifest.xml", b"x")), APK),
    "kmz": (made.zipped(("doc.kml", b"<kml/>")), KMZ),
    "usdz": (made.zipped(("cube.usdc", b"PXR-USDC")), USDZ),
    "3mf": (made.package("application/vnd.ms-package.3dmanufacturing-3dmodel+xml"), "model/3mf"),
    # documents
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "application/pdf"),
    "pdf behind a banner": (b"\0\0HTTP\n%PDF-1.7\n%\xe2\xe3\n1 0 obj\n", "application/pdf"),
    "pdf behind a line": (b"X-Note: a\n%PDF-1.4\n1 0 obj\n", "application/pdf"),
    "text about pdf": (b"A PDF begins with %PDF-1.7 and so on\n", TEXT),
    "ps": (b"%!PS-Adobe-3.0\n%%EndComments\n", "application/postscript"),
    "eps of windows": (b"\xc5\xd0\xd3\xc6" + bytes(40), "application/postscript"),
    "rtf": (b"{\\rtf1\\ansi hello}", "application/rtf"),
    "doc": (made.compound("1Table", "WordDocument"), "application/msword"),
    "doc by its first sector": (made.compound(first_sector=b"\xec\xa5\xc1\0"), "application/msword"),
    "xls": (made.compound("Workbook"), "application/vnd.ms-excel"),
    "ppt": (made.compound("PowerPoint Document"), "application/vnd.ms-powerpoint"),
    "msg": (made.compound("__nameid_version1.0", first_sector=b"\xfd\xff\xff\xff\0\0\0\0"), "application/vnd.ms-outlook"),
    "locked docx": (made.compound("EncryptionInfo", "EncryptedPackage", first_sector=b"\xfd\xff\xff\xff"), OLE),
    # data
    "parquet": (b"PAR1\x15\x04" + bytes(40) + b"PAR1", "application/vnd.apache.parquet"),
    "arrow": (b"ARROW1\0\0\xff\xff\xff\xff", "application/vnd.apache.arrow.file"),
    "avro": (b"Obj\x01\x04\x14avro.codec\0", "application/vnd.apache.avro"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0", "application/x-hdf5"),
    "sqlite": (made.database(), "application/x-sqlite3"),
    # programs and fonts
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(60), "application/x-executable"),
    "exe": (b"MZ\x90\0\x03\0\0\0" + bytes(60), "application/x-msdownload"),
    "wasm": (b"\0asm\x01\0\0\0", "application/wasm"),
    "java": (b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(20), "application/java-vm"),
    "ttf": (b"\0\x01\0\0\0\x0c\0\x80" + bytes(40), "font/ttf"),
    "otf": (b"OTTO\0\x0a\0\x80" + bytes(40), "font/otf"),
    "woff": (b"wOFF\0\x01\0\0" + bytes(40), "font/woff"),
    "woff2": (b"wOF2\0\x01\0\0" + bytes(40), "font/woff2"),
    # texts
    "text": (b"hello\n", TEXT),
    "text in UTF-8": ("Käthe – 日本\n".encode(), TEXT),
    "prose": (PROSE, TEXT),
    "two words on each line": (b"Hello, Tom\nBye, Jim\n", TEXT),
    "code": (CODE, TEXT),
    "sql": (b"insert into t values (1,2);\ninsert into t values (3,4);\n", TEXT),
    "ini": (b"[section]\na = 1\n", TEXT),
    "log": (LOG, TEXT),
    "yaml": (b"a: [1, 2]\nb: {c: 3}\n", TEXT),
    "script": (b"#!/bin/sh\necho a,b\necho c,d\n", TEXT),
    "indented": (b"\tone\n\ttwo\n\tthree\n", TEXT),
    "html": (HTML, "text/html"),
    "html with a comment": (b"<!-- saved -->\n<HTML lang=en>", "text/html"),
    "xhtml": (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html>', "text/html"),
    "html in latin-1": ("<html><body>Käse</body></html>".encode("latin-1"), "text/html"),
    "xml": (b'<?xml version="1.0"?>\n<a><b/></a>', "application/xml"),
    "xml without a declaration": (b"<a xmlns='urn:x'>\n <b/></a>\n", "application/xml"),
    "xml that is cut": (LONG_XML[:8192], "application/xml"),
    "xml in UTF-16": ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "application/xml"),
    "no xml": (b"<b>bold</b> and more\n", TEXT),
    "no end": (b"<a><b></a>", TEXT),
    "json": (b'{"a": [1, 2.5, null]}\n', "application/json"),
    "json of a list": (b"[1,\n2]", "application/json"),
    "json of several lines": (b'{\n "a": 1,\n "b": 2\n}\n', "application/json"),
    "json that is cut": (LONG_JSON[:8192], "application/json"),
    "no json": (b"{a: 1}\n", TEXT),
    "no json, cut": ((b"{" + b"function (x) { return x }, " * 400)[:8192], TEXT),
    "broken json": (b'{"a": 1', TEXT),
    "ndjson": (b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson"),
    "ndjson that is cut": (LONG_LINES[:8192], "application/x-ndjson"),
    "csv": (b"a,b,c\n1,2,3\n4,5,6\n", "text/csv"),
    "csv with quotes": (b'name,note\ncat,"black, small\nand soft"\ndog,big\n', "text/csv"),
    "csv with semicolons": ("Stück;Preis\r\n3;1,50\r\n4;2,50\r\n".encode(), "text/csv"),
    "csv with a mark": (b"\xef\xbb\xbfa,b\r\n1,2\r\n", "text/csv"),
    "csv that is cut": (LONG_CSV[:8192], "text/csv"),
    "ragged": (b"a,b,c\n1,2\n3,4,5,6\n", TEXT),
    "tsv": (b"a\tb\n1\t2, 3\n4\t5\n", "text/tab-separated-values"),
    "mail": (MAIL, "message/rfc822"),
    "mail with long lines": (MAIL.replace(b"\n", b"\r\n"), "message/rfc822"),
    "two fields in prose": (b"From: here\nit goes on and on\nTo: there\n", TEXT),
    "nothing": (b"", UNKNOWN),
    "noise": (BINARY, UNKNOWN),
    "text in latin-1": ("Käse und Öl\n".encode("latin-1"), UNKNOWN),
}

#: name, declared type, what of the above, the type to go by
DECIDED = [
    # a finer type of the same family stands
    ("a.docx", WORD, "zip", WORD),
    ("a.docx", WORD, "locked docx", WORD),
    ("a.docm", DOCM, "docx without its list in front", DOCM),
    ("a.docm", DOCM, "docx", DOCM),
    ("a.xlsx", EXCEL, "docx", WORD),
    ("a.kmz", KMZ, "zip", KMZ),
    ("a.usdz", USDZ, "zip", USDZ),
    ("a.jar", JAR, "zip", JAR),
    ("a.apk", APK, "jar", APK),
    ("a.epub", EPUB, "zip", EPUB),
    ("a.geojson", "application/geo+json", "json", "application/geo+json"),
    ("a.jsonld", "application/ld+json", "json that is cut", "application/ld+json"),
    ("a.yaml", "application/yaml", "yaml", "application/yaml"),
    ("a.yaml", "application/x-yaml", "json", "application/x-yaml"),
    ("a.gpx", "application/gpx+xml", "xml", "application/gpx+xml"),
    ("a.sql", "application/sql", "sql", "application/sql"),
    ("a.md", "text/markdown", "text", "text/markdown"),
    ("a.txt", "text/plain", "csv", "text/plain"),
    ("a.txt", "Text/Plain; charset=utf-8", "html", "text/plain"),
    ("a.csv", "text/csv", "text in latin-1", "text/csv"),
    ("a.m4a", "audio/mp4", "mp4", "audio/mp4"),
    ("a.weba", "audio/webm", "webm", "audio/webm"),
    ("a.tgz", "application/x-compressed-tar", "gz", "application/x-compressed-tar"),
    ("a.gpkg", "application/geopackage+sqlite3", "sqlite", "application/geopackage+sqlite3"),
    ("a.vsd", "application/vnd.visio", "locked docx", "application/vnd.visio"),
    # the bytes win over another family, and over a coarser type
    ("a.jpg", "image/jpeg", "png", "image/png"),
    ("a.jpg", "image/jpeg", "zip", ZIP),
    ("a.csv", "application/vnd.ms-excel", "csv", "text/csv"),
    ("a.zip", ZIP, "docx", WORD),
    ("a.zip", "application/x-zip-compressed", "jar", JAR),
    ("a.zip", "application/x-zip-compressed", "zip", ZIP),
    ("a.docx", WORD, "html", "text/html"),
    ("a.docx", WORD, "noise", UNKNOWN),
    ("a.parquet", "application/vnd.apache.parquet", "noise", UNKNOWN),
    ("a.html", "text/html", "pdf", "application/pdf"),
    ("a.txt", "text/plain", "svg", "image/svg+xml"),
    ("a.mp4", "video/mp4", "text", TEXT),
    ("a.own", "application/x-own", "noise", "application/x-own"),
    ("a.own", "application/x-own", "text", TEXT),
    # a declared type that says nothing
    ("a", "", "docx with a picture in front", WORD),
    ("a.docx", "", "zip", WORD),
    ("a.docx", UNKNOWN, "locked docx", WORD),
    ("a.kmz", "binary/octet-stream", "zip", KMZ),
    ("a.yml", "application/x-www-form-urlencoded", "yaml", "application/yaml"),
    ("a.SQL", "undefined", "sql", "application/sql"),
    ("a.md", "", "prose", "text/markdown"),
    ("a.geojson", "", "json", "application/geo+json"),
    ("a.csv", "", "ragged", "text/csv"),
    ("a.csv", "", "text in latin-1", "text/csv"),
    ("a.txt", "", "text in latin-1", "text/plain"),
    ("a.txt", "", "json", "application/json"),
    ("a.log", "", "ndjson", "application/x-ndjson"),
    ("a.txt", "", "noise", UNKNOWN),
    ("a.jpg", "", "text", TEXT),
    ("a.jpg", "", "noise", UNKNOWN),
    ("a.docx", "", "pdf", "application/pdf"),
    ("a.unheard", "", "noise", UNKNOWN),
    ("a.png", "image", "png", "image/png"),
    ("a.jpg", "image/jpeg, image/jpeg", "jpeg", "image/jpeg"),
    ("README", "image/jpeg, image/jpeg", "text", TEXT),
    (".docx", "", "zip", ZIP),
]

#: Where `filetype` has another answer than is wanted: it is wrong, or an older name.
FILETYPE_DIFFERS = {
    *("animated png", "no bmp", "jpeg 2000", "m4b", "m4v", "3gp", "cr3", "ogv", "ott", "msg"),
    *("zip of a folder named word", "docm", "ttf", "otf", "woff", "woff2"),
}


@pytest.mark.parametrize("what", SHOWN)
def test_a_file_shows_its_type(what: str) -> None:
    head, content_type = SHOWN[what]

    assert media.sniff(head[: media.HEAD_BYTES]) == content_type


@pytest.mark.parametrize(("name", "declared", "what", "content_type"), DECIDED)
def test_the_type_to_go_by_is_the_finest_of_its_family(name: str, declared: str, what: str, content_type: str) -> None:
    assert media.decide_type(declared, SHOWN[what][0][: media.HEAD_BYTES], name) == content_type


def test_no_answer_is_worse_than_that_of_filetype() -> None:
    answers = {what: (filetype.guess_mime(head), content_type) for what, (head, content_type) in SHOWN.items() if head}
    coarse = (None, ZIP, "application/gzip")

    assert {what for what, (theirs, ours) in answers.items() if theirs not in (*coarse, ours)} == FILETYPE_DIFFERS


@pytest.mark.parametrize("what", SHOWN)
def test_a_file_that_is_cut_anywhere_has_a_type(what: str) -> None:
    head = SHOWN[what][0][:600]

    assert all("/" in media.sniff(head[:size]) for size in range(0, len(head), 7))
