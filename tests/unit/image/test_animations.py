"""Animations that a step keeps: every frame on its canvas, its time, and the limits of frames and pixels."""

import io
from typing import Any

import pytest
from PIL import ExifTags, Image

from shared.errors import BadConfiguration, BadFile
from shared.testing import Produced, run_processor
from tests.unit.image import gifs
from tests.unit.image.gifs import Frame, gif
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, plain, run, saved

CLEAR = (0, 0, 0, 0)
SOLID_RED, SOLID_GREEN, SOLID_BLUE, SOLID_WHITE = ((*paint, 255) for paint in (RED, GREEN, BLUE, WHITE))
BLACK = (0, 0, 0)
#: A table of greys in which each colour is its own number: decoders leave it out.
GREYS = bytes(value for value in range(4) for _ in range(3))
KEEP_CANVAS, TO_BACKGROUND, TO_PREVIOUS = 1, 2, 3
#: The left half red; the upper right green, then cleared; the lower right blue, then taken back; the upper left half white.
MOVING = gif(
    (16, 16),
    Frame((0, 0, 8, 16), [0], KEEP_CANVAS, 10),
    Frame((8, 0, 16, 8), [1], TO_BACKGROUND, 20),
    Frame((8, 8, 16, 16), [2], TO_PREVIOUS, 30),
    Frame((0, 0, 8, 8), [3] * 32 + [1] * 32, KEEP_CANVAS, 40, transparent=1),
)
#: The colours of the upper left, upper right, lower left and lower right of each frame.
SEEN = [
    (SOLID_RED, CLEAR, SOLID_RED, CLEAR),
    (SOLID_RED, SOLID_GREEN, SOLID_RED, CLEAR),
    (SOLID_RED, CLEAR, SOLID_RED, SOLID_BLUE),
    (SOLID_WHITE, CLEAR, SOLID_RED, CLEAR),
]


def kept(data: bytes, size: Any = 16, kind: str = "webp", **options: Any) -> Produced:
    (produced,) = run(data, (size,), (kind,), **({"animation": "keep", "quality": 100} | options))
    return produced


def shown(data: bytes) -> list[tuple[Image.Image, int]]:
    """Each frame of an animation with its milliseconds."""
    frames = []
    with Image.open(io.BytesIO(data)) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            animation.load()
            frames.append((animation.convert("RGBA"), int(animation.info.get("duration", 0))))
    return frames


def quadrants(picture: Image.Image) -> tuple[tuple[int, ...], ...]:
    found = (colour(picture, x, y) for y in (0.2, 0.7) for x in (0.2, 0.7))
    return tuple(paint if paint[3] else CLEAR for paint in found)


def webp(*paints: tuple[int, ...], **options: Any) -> bytes:
    first, *more = (plain("RGBA", paint, (16, 16)) for paint in paints)
    return saved(first, "WEBP", save_all=True, append_images=more, lossless=True, **options)


def test_each_frame_of_a_gif_is_painted_on_what_the_ones_before_left() -> None:
    found = [quadrants(picture) for picture, _ in shown(kept(MOVING).data)]

    assert len(found) == len(SEEN)
    for frame, wanted in zip(found, SEEN, strict=True):
        assert all(near(one, other) for one, other in zip(frame, wanted, strict=True)), (frame, wanted)


def test_every_frame_keeps_its_time() -> None:
    assert [duration for _, duration in shown(kept(MOVING).data)] == [100, 200, 300, 400]


def test_the_frames_of_a_webp_are_kept_with_their_times() -> None:
    frames = shown(kept(webp((*RED, 255), (*GREEN, 255), (*BLUE, 255), duration=[40, 50, 60])).data)

    assert [duration for _, duration in frames] == [40, 50, 60]
    assert all(near(colour(picture), paint) for (picture, _), paint in zip(frames, (RED, GREEN, BLUE), strict=True))


@pytest.mark.parametrize(
    ("data", "loops"),
    [
        (MOVING, 0),
        (MOVING.replace(gifs.FOR_EVER, b""), 1),
        (MOVING.replace(gifs.FOR_EVER, gifs.FOR_EVER[:-3] + b"\x04\0\0"), 5),
        (webp((*RED, 255), (*BLUE, 255), loop=3), 3),
    ],
    ids=["for ever", "once", "repeated four times", "webp"],
)
def test_an_animation_is_played_as_often_as_before(data: bytes, loops: int) -> None:
    with Image.open(io.BytesIO(kept(data).data)) as animation:
        assert animation.info["loop"] == loops


def test_each_frame_has_its_own_colours() -> None:
    own = Frame((0, 0, 16, 16), [1], table=bytes([*WHITE, *BLUE, *RED, *GREEN]))
    greys = Frame((0, 0, 16, 16), [1] * 128 + [2] * 128, transparent=2, table=GREYS)
    frames = shown(kept(gif((16, 16), Frame((0, 0, 16, 16), [1]), own, greys)).data)

    assert all(near(colour(one, 0.5, 0.2), paint) for (one, _), paint in zip(frames, (GREEN, BLUE, BLACK), strict=True))
    assert near(colour(frames[2][0], 0.5, 0.8), BLUE)


def test_the_first_frame_may_have_greys_of_its_own() -> None:
    data = gif((16, 16), Frame((0, 0, 16, 16), [1], table=GREYS), Frame((0, 0, 16, 16), [1]))

    ((first, _),) = shown(kept(data, animation="first").data)
    assert near(colour(first), BLACK)


def test_equal_frames_become_one_that_is_seen_as_long() -> None:
    produced = kept(gif((16, 16), *(Frame((0, 0, 16, 16), [paint]) for paint in (0, 0, 1))))

    assert [duration for _, duration in shown(produced.data)] == [200, 100]
    assert produced.facts["frames"] == 2


def test_every_size_and_fit_moves() -> None:
    drafts = run(MOVING, (8, "4x12"), ("webp",), animation="keep", fit="cover")

    assert {draft.name: draft.facts for draft in drafts} == {
        "8.webp": {"width_px": 8, "height_px": 8, "frames": 4},
        "4x12.webp": {"width_px": 4, "height_px": 12, "frames": 4},
    }


@pytest.mark.parametrize("kind", ["png", "avif", "jpeg"])
def test_other_formats_show_the_first_frame(kind: str) -> None:
    (first,) = shown(kept(MOVING, kind=kind).data)

    assert near(colour(first[0], 0.2), RED)


@pytest.mark.parametrize("data", [MOVING, webp((*RED, 255), (*BLUE, 255))], ids=["gif", "webp"])
def test_an_animation_is_not_kept_unless_asked(data: bytes) -> None:
    ((first, _),) = shown(kept(data, animation="first").data)

    assert near(colour(first, 0.2), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_still_picture_stays_one(kind: str) -> None:
    produced = kept(saved(plain("RGB", RED), kind))

    assert "frames" not in produced.facts
    assert len(shown(produced.data)) == 1


def test_an_animation_with_too_many_frames_is_refused() -> None:
    with pytest.raises(BadFile, match="more than 3 frames, the limit of its step") as refused:
        kept(MOVING, max_frames=3)

    assert refused.value.code == "too_many_frames"
    assert kept(MOVING, max_frames=4).facts["frames"] == 4


@pytest.mark.parametrize("data", [MOVING, webp(*((paint, 0, 0, 255) for paint in (0, 80, 160, 240)))], ids=["gif", "webp"])
def test_the_pixels_of_all_frames_count(data: bytes) -> None:
    with pytest.raises(BadFile) as refused:
        kept(data, max_pixels=4 * 256 - 1)

    assert refused.value.code == "too_many_pixels"
    assert kept(data, max_pixels=4 * 256).facts["frames"] == 4


def test_a_frame_beyond_its_canvas_counts_whole_and_is_cut() -> None:
    data = gif((4, 4), Frame((0, 0, 4, 4), [0]), Frame((0, 0, 64, 64), [2]))

    with pytest.raises(BadFile, match="4,096 pixels"):
        kept(data, 4, max_pixels=2 * 64 * 64 - 1)
    first, second = shown(kept(data, 4, max_pixels=2 * 64 * 64).data)
    assert first[0].size == second[0].size == (4, 4)
    assert near(colour(second[0]), BLUE)


def test_an_animation_that_ends_within_a_frame_is_refused_or_delivered_as_far_as_it_goes() -> None:
    short = MOVING[:-10]

    with pytest.raises(BadFile) as refused:
        kept(short)
    delivered = run_processor("image.renditions", short, sizes=[16], animation="keep", truncated="deliver")

    assert refused.value.code == "truncated"
    assert delivered.facts == {"incomplete": True}
    assert delivered.outputs[0].facts["frames"] == 3


def test_an_animation_with_one_whole_frame_is_delivered_as_a_picture() -> None:
    second = MOVING.index(b"\x21\xf9", MOVING.index(b"\x21\xf9") + 2)

    produced = kept(MOVING[: second + 25], truncated="deliver")

    ((picture, _),) = shown(produced.data)
    assert near(colour(picture, 0.2), SOLID_RED)
    assert "frames" not in produced.facts


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"animation": "all"}, 'options.animation: \'all\'; write "first" or "keep"'),
        ({"max_frames": 0}, "options.max_frames: 0; write a whole number from 1 to 10000"),
    ],
    ids=["animation", "frames"],
)
def test_a_wrong_option_is_refused_with_a_right_one(options: dict[str, Any], remedy: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        run(b"", **options)

    assert refused.value.message == remedy


@pytest.mark.parametrize(
    "between", [b"\x21\xfe\x04note\0", b"\x21\xff\x0bXMP DataXMP\x04note\0"], ids=["comment", "application"]
)
def test_a_block_between_a_frame_and_its_control_changes_nothing(between: bytes) -> None:
    frames = [quadrants(picture) for picture, _ in shown(kept(MOVING.replace(b"\0\x2c", b"\0" + between + b"\x2c")).data)]

    assert all(
        near(one, other) for frame, wanted in zip(frames, SEEN, strict=True) for one, other in zip(frame, wanted, strict=True)
    )


def test_exif_data_turn_every_frame_of_a_webp() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    frames = [plain("RGBA", (*paint, 255), (32, 16)) for paint in (RED, GREEN)]
    for frame in frames:
        frame.paste((*BLUE, 255), (0, 0, 16, 16))
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=exif.tobytes())

    pictures = [picture for picture, _ in shown(kept(data, 32).data)]
    assert [picture.size for picture in pictures] == [(16, 32)] * 2
    assert all(near(colour(picture, 0.5, 0.2), BLUE) for picture in pictures)
    assert all(near(colour(one, 0.5, 0.8), paint) for one, paint in zip(pictures, (RED, GREEN), strict=True))


def test_equal_transparent_frames_become_one_picture() -> None:
    data = gif((16, 16), *[Frame((0, 0, 8, 16), [0])] * 2)

    ((picture, _),) = shown(kept(data).data)
    assert (colour(picture, 0.2), colour(picture, 0.8)[3]) == (colour(picture, 0.2, 0.9), 0)
    assert near(colour(picture, 0.2), SOLID_RED)
