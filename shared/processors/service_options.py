"""The options of `service.call`, and their check."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared import media, naming, origins
from shared.errors import BadConfiguration

#: A token (RFC 9110 §5.6.2): the name of a header.
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
#: Set by the client itself.
OWN_HEADERS = {
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
}
#: Their values would stand in plans and manifests.
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "method": ("POST", "PUT"),
    "body": ("file", "form"),
    "answer": ("facts", "output", "parts"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `body` is the file itself or a `form`; `answer` says what becomes of the answer."""

    url: str = ""
    method: str = "POST"
    body: str = "file"
    content_type: str = "application/octet-stream"
    field: str = "file"
    file_name: str = "file"
    fields: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    secret_headers: Mapping[str, str] | None = None
    audience: str = ""
    answer: str = "facts"
    output: str = ""
    output_type: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)
        for option, values in CHOICES.items():
            if getattr(self, option) not in values:
                _refuse(option, getattr(self, option), f"write {' or '.join(values)}")
        _check_texts(self)
        _check_headers(self)
        _check_answer(self)


def _refuse(option: str, value: object, remedy: str) -> None:
    raise BadConfiguration(f"options.{option}: {str(value)[:200]!r}; {remedy}")


def _check_url(url: object) -> None:
    if not isinstance(url, str) or not url:
        _refuse("url", url, "write the address of the service, such as https://tika.example.com/tika")
    try:
        origins.of(str(url))
    except BadConfiguration as error:
        raise BadConfiguration(f"options.url: {error.message}") from None
    if naming.STEM in str(url):
        _refuse("url", url, f"write {naming.STEM} in `file_name` or `output` only: names may hold any character")


def _check_texts(options: Call) -> None:
    for option in ("field", "file_name"):
        value = getattr(options, option)
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 255:
            _refuse(option, value, "write 1 to 255 printable characters")
    if not isinstance(options.content_type, str) or not media.is_valid(options.content_type):
        _refuse("content_type", options.content_type, "write a media type such as application/pdf")
    if not isinstance(options.audience, str) or not re.fullmatch("[!-~]*", options.audience):
        _refuse("audience", options.audience, "write the URL that the service expects in an identity token")
    for option in ("fields", "headers", "secret_headers"):
        table = getattr(options, option) or {}
        if not isinstance(table, Mapping) or not all(isinstance(one, str) for pair in table.items() for one in pair):
            _refuse(option, table, 'write a table of texts, such as { name = "value" }')
    if options.fields and options.body != "form":
        _refuse("fields", dict(options.fields), 'write body = "form" too: a plain body has no fields')


def _check_headers(options: Call) -> None:
    plain = [name.lower() for name in options.headers or ()]
    names = [*plain, *(name.lower() for name in options.secret_headers or ()), *(["authorization"] if options.audience else [])]
    for name in names:
        if not HEADER.fullmatch(name) or name in OWN_HEADERS:
            _refuse("headers", name, "leave it out: it is no header's name, or one that the client itself sets")
        if name in plain and name in SECRET_HEADERS:
            _refuse("headers", name, "name it in `secret_headers`: values of `headers` stand in every manifest")
        if names.count(name) > 1:
            _refuse("headers", name, "write it once; `audience` sends the header Authorization")
    for name, value in (options.headers or {}).items():
        if not origins.is_header(value):
            _refuse(f"headers.{name}", value, "write printable ASCII characters")


def _check_answer(options: Call) -> None:
    is_output = options.answer == "output"
    if is_output and (not isinstance(options.output, str) or not naming.is_output(options.output)):
        _refuse("output", options.output, "write the name of the output, such as document.pdf")
    if is_output and options.output_type and not (isinstance(options.output_type, str) and media.is_valid(options.output_type)):
        _refuse(
            "output_type",
            options.output_type,
            "write a media type such as application/pdf, or leave it out for the answer's own",
        )
    for option in () if is_output else ("output", "output_type"):
        if getattr(options, option):
            _refuse(option, getattr(options, option), 'leave it out, or write answer = "output"')
