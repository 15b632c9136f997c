"""Files that are no recordings, hostile ones and damaged ones: each has its reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile
from shared.processors.programs import Programs
from shared.testing import run_processor
from tests.unit.media import clips
from tests.unit.media.clips import film, needs_ffmpeg

EVERY = ["media.facts", "media.poster", "media.preview", "audio.waveform"]


def refusal(processor: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(BadFile) as refused:
        run_processor(processor, data)
    return refused.value.code, refused.value.message


@needs_ffmpeg
@pytest.mark.parametrize("processor", EVERY)
@pytest.mark.parametrize(
    "playlist",
    [
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://169.254.169.254/a.ts\n#EXT-X-ENDLIST\n",
        b"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    ],
    ids=["concat", "hls", "dash", "sdp"],
)
def test_a_playlist_is_never_followed(processor: str, playlist: bytes) -> None:
    code, message = refusal(processor, playlist)

    assert code == "unsupported"
    assert message.startswith("a playlist (")


@needs_ffmpeg
def test_a_hundred_thousand_streams_are_refused() -> None:
    assert refusal("media.facts", clips.of_streams(100_000)) == (
        "too_many_streams",
        "it has more than 100 streams; save it with those that are needed",
    )
    assert run_processor("media.facts", clips.of_streams(100)).facts["stream_count"] == 100


@needs_ffmpeg
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: b"", "truncated"),
        (lambda: b"no recording\n" * 100, "unsupported"),
        (lambda: bytes(range(256)) * 40, "unsupported"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "unsupported"),
        (lambda: b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk" + bytes(40), "unsupported"),
        (lambda: film()[:2000], "truncated"),
        (lambda: film("-movflags", "+faststart")[:600], "corrupt"),
        (lambda: film(ending="mkv")[:40] + bytes(5000), "corrupt"),
    ],
    ids=["empty", "text", "bytes", "png", "midi", "no index", "half an index", "no header"],
)
def test_a_file_that_is_no_recording_has_its_reason(data: Callable[[], bytes], reason: str) -> None:
    assert refusal("media.facts", data())[0] == reason


@needs_ffmpeg
def test_messages_say_nothing_about_the_machine() -> None:
    messages = [refusal(name, data)[1] for name in EVERY for data in (b"", b"ffconcat version 1.0\n", film()[:2000])]

    assert not [message for message in messages if "/" in message or "0x" in message]


@needs_ffmpeg
@pytest.mark.parametrize("processor", EVERY[1:])
def test_a_recording_of_no_time_has_no_output(processor: str) -> None:
    empty = clips.empty()

    assert run_processor("media.facts", empty).facts["has_video"] is True
    assert refusal(processor, empty)[0] == "no_output"


@pytest.mark.parametrize("processor", EVERY)
def test_without_ffmpeg_the_verdict_says_what_to_install(processor: str, tmp_path: Path) -> None:
    found = processors.find(processor)

    with pytest.raises(BadFile) as refused:
        found.run(tmp_path, tmp_path, found.check({}), programs=Programs({}))

    assert refused.value.code == "unsupported"
    assert refused.value.message == (
        "video and audio need the programs ffmpeg and ffprobe; "
        "install the extra media: make setup EXTRAS=media, deploy.sh up --extras media"
    )
