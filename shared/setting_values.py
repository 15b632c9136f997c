"""The declaration of a setting, and its value out of the text of its variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadConfiguration

#: Longest number that is read: int() refuses thousands of digits.
MAX_DIGITS = 18
#: An origin as browsers write it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin).
_ORIGIN = re.compile(r"https?://([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?")
_USUAL_PORT = re.compile(r"http:.*:80|https:.*:443")


@dataclass(frozen=True, slots=True)
class Setting:
    """The declaration of one setting.

    `default` is None where the variable must be set. `deploy` says how deploy.sh sets it: the name of its option, `derived`
    from other options, or `""` where the default holds in the cloud and only a local or test environment sets it.
    """

    variable: str
    meaning: str
    default: str | None
    deploy: str


def read(setting: Setting, kind: Any, environment: Mapping[str, str]) -> Any:
    """The value of this setting, as its kind. Raises `BadConfiguration` when it is missing or wrong."""
    text = environment.get(setting.variable, setting.default)
    if text is None or (text == "" and setting.default is None):
        raise missing(setting)
    if kind is int and (not text.isdecimal() or len(text) > MAX_DIGITS or int(text) == 0):
        raise BadConfiguration(f"{setting.variable} is {text[:80]!r}; set a whole number above 0 ({setting.meaning})")
    if kind is bool and text not in ("", "1"):
        raise BadConfiguration(f"{setting.variable} is {text[:80]!r}; set it to 1, or leave it empty")
    if kind == frozenset[str]:
        return _emails(setting, text)
    if kind == tuple[str, ...]:
        return origins(setting.variable, text)
    return _urls(setting, text) if kind == Mapping[str, str] else kind(text)


def _urls(setting: Setting, text: str) -> Mapping[str, str]:
    parts = [part.partition("=") for part in text.split(",")] if text else []
    urls = {name: url for name, _, url in parts}
    if len(urls) < len(parts) or not all(name and url.startswith(("https://", "http://")) for name, url in urls.items()):
        remedy = "write each pool once, such as default=https://…,slow=https://…"
        raise BadConfiguration(f"{setting.variable} is {text[:200]!r}; {remedy}")
    return urls


def _emails(setting: Setting, text: str) -> frozenset[str]:
    """E-mail addresses in lower case, as people may write their own in either."""
    emails = [email.strip().lower() for email in text.split(",")] if text else []
    if not all("@" in email and ":" not in email for email in emails):
        remedy = "write e-mail addresses, such as ann@example.com,bob@example.com; groups are not possible here"
        raise BadConfiguration(f"{setting.variable} is {text[:200]!r}; {remedy}")
    return frozenset(emails)


def origins(variable: str, text: str) -> tuple[str, ...]:
    """The origins of pages in a list, between commas. Raises `BadConfiguration` for one that no browser sends."""
    found = tuple(part.strip() for part in text.split(",")) if text else ()
    for one in found:
        if not _ORIGIN.fullmatch(one) or _USUAL_PORT.fullmatch(one):
            remedy = "write each as browsers send it, such as https://app.example: in lower case, without path and usual port"
            raise BadConfiguration(f"{variable} has {one[:200]!r}; {remedy}")
    return tuple(dict.fromkeys(found))


def missing(setting: Setting) -> BadConfiguration:
    """The refusal for a setting without a value."""
    return BadConfiguration(f"set {setting.variable} ({setting.meaning}); see docs/settings.md")
