"""An HTTP client on a connection that is open already, and what messages show of answers and errors."""

import functools
import http.client
import socket
import ssl
from collections.abc import Collection

from shared.origins import Origin

#: Of an answer that is no success, the part that is read, and what a message shows of it.
MAX_READ_BYTES, MAX_SHOWN_CHARACTERS = 2 << 10, 200


def client(connection: socket.socket, origin: Origin) -> http.client.HTTPConnection:
    """A client on this connection; on one of its own, `http.client` would wait for each byte anew."""
    if origin.scheme == "http":
        made = http.client.HTTPConnection(origin.host, origin.port)
        made.sock = connection
    else:
        made = http.client.HTTPSConnection(origin.host, origin.port, context=trusted())
        made.sock = trusted().wrap_socket(connection, server_hostname=origin.host)
    return made


@functools.cache
def trusted() -> ssl.SSLContext:
    """The certificate authorities of this system; OpenSSL reads SSL_CERT_FILE, for one of your own."""
    return ssl.create_default_context()


def shown(data: bytes, hidden: Collection[str] = ()) -> str:
    """The beginning of an answer as one printable line, without these texts."""
    text = "".join(each if each.isprintable() else " " for each in data.decode(errors="replace"))
    for secret in hidden:
        text = text.replace(secret, "…")
    return " ".join(text.split())[:MAX_SHOWN_CHARACTERS]


def cause(error: Exception) -> str:
    """A cause in harmless words: of the system, of OpenSSL's verification, or the name of the error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    return getattr(error, "strerror", None) or type(error).__name__
