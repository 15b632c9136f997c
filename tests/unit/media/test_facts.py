"""Facts of recordings, compared with what the test patterns were made with."""

from typing import Any

import pytest

from shared.errors import BadConfiguration
from shared.testing import run_processor
from tests.unit.media import clips
from tests.unit.media.clips import H264, PATTERN, TONE, film, made, needs_ffmpeg, patterns

pytestmark = needs_ffmpeg


def facts(data: bytes, **options: Any) -> dict[str, Any]:
    outcome = run_processor("media.facts", data, **options)
    assert outcome.outputs == []
    return dict(outcome.facts)


def test_the_facts_of_a_film() -> None:
    found = facts(film("-metadata", "creation_time=2026-05-04T18:01:22Z", "-metadata:s:a", "language=deu"))

    assert 1.9 < found.pop("duration_seconds") < 2.1
    assert found.pop("bit_rate") > 1000
    assert all(stream.pop("bit_rate") > 1000 for stream in found["streams"])
    assert found == {
        "format": "mp4",
        "has_video": True,
        "has_audio": True,
        "width_px": 320,
        "height_px": 180,
        "rotation_degrees": 0,
        "frame_rate": 10.0,
        "variable_frame_rate": False,
        "video_codec": "h264",
        "audio_codec": "aac",
        "channels": 2,
        "sample_rate_hz": 44100,
        "recorded_at": "2026-05-04T18:01:22+00:00",
        "stream_count": 2,
        "streams": [
            {"kind": "video", "codec": "h264", "profile": "Constrained Baseline", "pixel_format": "yuv420p"},
            {
                "kind": "audio",
                "codec": "aac",
                "profile": "LC",
                "channels": 2,
                "channel_layout": "stereo",
                "sample_rate_hz": 44100,
                "language": "deu",
            },
        ],
    }


@pytest.mark.parametrize(("stored", "degrees", "size"), [(90, 270, (80, 160)), (-90, 90, (80, 160)), (180, 180, (160, 80))])
def test_a_turned_film_has_the_size_that_is_shown(stored: int, degrees: int, size: tuple[int, int]) -> None:
    found = facts(clips.turned(stored))

    assert (found["rotation_degrees"], found["width_px"], found["height_px"]) == (degrees, *size)


def test_pixels_that_are_not_square_count_as_they_are_shown() -> None:
    found = facts(made("mp4", *patterns("testsrc=s=240x180:r=10:d=1,setsar=4/3"), *H264))

    assert (found["width_px"], found["height_px"]) == (320, 180)


def test_a_variable_frame_rate_is_named() -> None:
    """30 pictures in the first second, 6 in the next one."""
    chosen = "testsrc=s=64x64:r=30:d=2,select=lt(n\\,30)+not(mod(n\\,5))"
    found = facts(made("mp4", *patterns(chosen), "-fps_mode", "vfr", *H264))

    assert found["variable_frame_rate"] is True
    assert 17 < found["frame_rate"] < 20


def test_a_song_with_a_cover_is_no_video() -> None:
    found = facts(clips.song())

    assert (found["format"], found["has_video"], found["has_audio"], found["has_cover"]) == ("mp3", False, True, True)
    assert [stream["kind"] for stream in found["streams"]] == ["audio", "cover"]
    assert (found["title"], found["artist"]) == ("Sea song", "A. Singer")
    assert "width_px" not in found


@pytest.mark.parametrize(
    ("ending", "options", "name", "codec"),
    [
        ("webm", ("-c:a", "libopus"), "webm", "opus"),
        ("mka", ("-c:a", "pcm_s16le"), "matroska", "pcm_s16le"),
        ("m4a", ("-c:a", "aac"), "m4a", "aac"),
        ("mov", ("-c:a", "aac"), "mov", "aac"),
        ("wav", (), "wav", "pcm_s16le"),
        ("flac", (), "flac", "flac"),
        ("ogg", ("-c:a", "libopus"), "ogg", "opus"),
        ("aiff", (), "aiff", "pcm_s16be"),
        ("ts", ("-c:a", "libmp3lame"), "mpegts", "mp3"),
        ("aac", ("-c:a", "aac"), "aac", "aac"),
        ("avi", ("-c:a", "libmp3lame"), "avi", "mp3"),
        ("wma", ("-c:a", "wmav2"), "asf", "wmav2"),
    ],
)
def test_containers_have_their_names(ending: str, options: tuple[str, ...], name: str, codec: str) -> None:
    found = facts(made(ending, *patterns(TONE), *options))

    assert (found["format"], found["audio_codec"], found["has_video"]) == (name, codec, False)


def test_a_film_of_high_dynamic_range_is_named() -> None:
    tagged = "testsrc=s=64x64:r=10:d=0.2,format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=arib-std-b67"
    found = facts(made("mkv", *patterns(tagged), "-c:v", "ffv1"))

    assert found["hdr"] == "hlg"


def test_loudness_is_that_of_the_first_test_signal_of_the_ebu() -> None:
    """EBU Tech 3341, case 1: 1 kHz at -23 dBFS in both channels has -23.0 LUFS."""
    wave = "aevalsrc=0.0708*sin(2*PI*1000*t)|0.0708*sin(2*PI*1000*t):s=48000:d=5"
    found = facts(made("wav", *patterns(wave)), add=["loudness"])

    assert (found["loudness_lufs"], found["loudness_range_lu"], found["true_peak_dbtp"]) == (-23.0, 0.0, -23.0)


def test_silence_has_the_least_loudness_and_no_peak() -> None:
    found = facts(made("wav", *patterns("anullsrc=d=1")), add=["loudness"])

    assert found["loudness_lufs"] == -70.0
    assert "true_peak_dbtp" not in found


def test_a_film_without_sound_has_no_loudness() -> None:
    found = facts(made("mp4", *patterns(PATTERN), *H264), add=["loudness"])

    assert found["has_audio"] is False
    assert "loudness_lufs" not in found


@pytest.mark.parametrize("value", ["loudness", ["volume"], 5])
def test_added_facts_are_the_known_ones(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.add: .*; write a list of loudness$"):
        run_processor("media.facts", b"", add=value)
