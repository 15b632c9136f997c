"""Colours: from any mode of Pillow to RGB or RGBA in sRGB."""

import io

from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
#: Modes in which a picture can be resized and converted by its profile afterwards.
_READY = ("L", "LA", "RGB", "RGBA", "CMYK")


def resizable(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized, its own colours unchanged; the same object where it is in one."""
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        return _keeping(picture, picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    if picture.mode == "LAB":
        return ImageCms.profileToProfile(picture, _LAB, _SRGB, outputMode="RGB") or picture
    if picture.mode in _READY:
        return picture
    target = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(picture.mode, "RGB")
    return _keeping(picture, picture.convert(target))


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB, without the metadata that an encoder would copy. An unreadable profile is ignored.

    A picture that is in RGB already is changed, not copied.
    """
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    solid = _without_alpha(picture)
    solid = _by_profile(solid, profile) if profile else solid
    clean = solid if solid.mode == "RGB" else solid.convert("RGB")
    if alpha:
        clean.putalpha(alpha)
    clean.info = {}
    return clean


def _without_alpha(picture: Image.Image) -> Image.Image:
    return picture.convert({"LA": "L", "RGBA": "RGB"}[picture.mode]) if picture.mode in ("LA", "RGBA") else picture


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, embedded, _SRGB, outputMode="RGB") or picture
    except (ImageCms.PyCMSError, OSError):
        return picture  # an unreadable profile, or one for other channels


def _keeping(original: Image.Image, changed: Image.Image) -> Image.Image:
    changed.info = {key: value for key, value in original.info.items() if key != "transparency"}
    return changed
