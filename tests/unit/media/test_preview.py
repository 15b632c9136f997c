"""Previews: small films that browsers play, and sound."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadConfiguration
from shared.testing import Outcome, run_processor
from tests.unit.media import clips
from tests.unit.media.clips import FOUND, H264, PATTERN, TONE, film, made, needs_ffmpeg, patterns

pytestmark = needs_ffmpeg


def preview(data: bytes, **options: Any) -> Outcome:
    return run_processor("media.preview", data, **options)


def probed(data: bytes, folder: Path, *entries: str) -> dict[str, Any]:
    """The answer of ffprobe about a preview."""
    (path := folder / "preview").write_bytes(data)
    command: list[str | Path] = [
        FOUND["ffprobe"],
        "-v",
        "error",
        "-of",
        "json",
        *(entries or ("-show_streams", "-show_format")),
        str(path),
    ]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def test_a_preview_is_small_h264_and_aac_without_the_senders_data(tmp_path: Path) -> None:
    (output,) = preview(film("-metadata", "title=Secret", "-metadata", "location=+48.2+16.3/"), height=90).outputs
    found = probed(output.data, tmp_path)

    assert (output.name, output.content_type) == ("preview.mp4", "video/mp4")
    assert output.data.index(b"moov") < output.data.index(b"mdat"), "it plays while it loads"
    streams = [(one["codec_name"], one.get("width"), one.get("height"), one.get("channels")) for one in found["streams"]]
    assert streams == [("h264", 160, 90, None), ("aac", None, None, 2)]
    assert found["streams"][0]["pix_fmt"] == "yuv420p"
    assert b"Secret" not in output.data
    assert b"+48.2" not in output.data
    assert (output.facts["width_px"], output.facts["height_px"]) == (160, 90)
    assert 1.9 < output.facts["duration_seconds"] < 2.2


def test_a_preview_is_the_same_each_time() -> None:
    data = film()

    assert preview(data).outputs == preview(data).outputs


def test_a_film_is_never_enlarged_and_has_even_edges() -> None:
    odd = made("mkv", *patterns("testsrc=s=101x51:r=10:d=0.5"), "-c:v", "ffv1")

    assert preview(odd, height=480).outputs[0].facts["height_px"] == 50
    assert preview(odd, height=480).outputs[0].facts["width_px"] in (100, 102)


def test_a_turned_film_is_upright(tmp_path: Path) -> None:
    (output,) = preview(clips.turned(-90)).outputs
    (stream,) = probed(output.data, tmp_path)["streams"]

    assert (stream["width"], stream["height"]) == (80, 160)
    assert "side_data_list" not in stream


def test_pictures_keep_their_times_at_a_variable_rate(tmp_path: Path) -> None:
    """30 pictures in the first second, then one each sixth of a second."""
    chosen = "testsrc=s=64x64:r=30:d=2,select=lt(n\\,30)+not(mod(n\\,5))"
    (output,) = preview(made("mp4", *patterns(chosen), "-fps_mode", "vfr", *H264)).outputs
    packets = probed(output.data, tmp_path, "-show_entries", "packet=pts_time")["packets"]

    times = sorted(float(packet["pts_time"]) for packet in packets)
    assert len(times) == 36
    assert [round(after - before, 3) for before, after in itertools.pairwise(times)] == [0.033] * 30 + [0.167] * 5


def test_pictures_beyond_the_most_a_second_are_left_out(tmp_path: Path) -> None:
    (output,) = preview(made("mp4", *patterns("testsrc=s=64x64:r=60:d=1"), *H264), fps=15).outputs

    assert len(probed(output.data, tmp_path, "-show_entries", "packet=pts_time")["packets"]) == 15


def test_only_the_beginning_is_taken() -> None:
    (output,) = preview(film(), seconds=0.5).outputs

    assert 0.4 < output.facts["duration_seconds"] < 0.7


def test_a_film_without_sound_stays_silent(tmp_path: Path) -> None:
    (output,) = preview(made("mp4", *patterns(PATTERN), *H264)).outputs

    assert [one["codec_type"] for one in probed(output.data, tmp_path)["streams"]] == ["video"]


@pytest.mark.parametrize(
    ("form", "content_type", "codec"), [("m4a", "audio/mp4", "aac"), ("mp3", "audio/mpeg", "mp3"), ("ogg", "audio/ogg", "opus")]
)
def test_sound_has_a_preview_in_each_format(form: str, content_type: str, codec: str, tmp_path: Path) -> None:
    (output,) = preview(made("wav", *patterns(TONE)), audio=form).outputs
    (stream,) = probed(output.data, tmp_path)["streams"]

    assert (output.name, output.content_type) == (f"preview.{form}", content_type)
    assert (stream["codec_name"], stream["channels"]) == (codec, 2)
    assert 1.9 < output.facts["duration_seconds"] < 2.1


def test_the_cover_of_a_song_is_left_out(tmp_path: Path) -> None:
    (output,) = preview(clips.song()).outputs

    assert [one["codec_type"] for one in probed(output.data, tmp_path)["streams"]] == ["audio"]


def test_the_preview_of_a_film_that_is_cut_off_is_incomplete() -> None:
    whole = film("-movflags", "+faststart")
    cut = preview(whole[: len(whole) * 2 // 3])

    assert cut.facts == {"incomplete": True}
    assert 0.5 < cut.outputs[0].facts["duration_seconds"] < 1.9
    assert preview(whole).facts == {}


@pytest.mark.parametrize(
    ("option", "value"),
    [("height", 1), ("height", "480"), ("fps", 0), ("fps", 29.97), ("crf", 0), ("crf", 52), ("seconds", 0), ("seconds", "10"),
     ("audio", "wav"), ("audio", None), ("audio_kbps", 7), ("audio_kbps", True)],
)  # fmt: skip
def test_options_of_a_preview_are_checked(option: str, value: Any) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{option}: .*; write "):
        run_processor("media.preview", b"", **{option: value})


def test_a_very_wide_film_has_a_preview_that_the_encoder_takes() -> None:
    (output,) = preview(made("mkv", *patterns("testsrc=s=20000x16:r=2:d=1"), "-c:v", "ffv1")).outputs

    assert (output.facts["width_px"], output.facts["height_px"]) == (8192, 6)
