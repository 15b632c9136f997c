"""TLS for the servers of tests, by an authority of their own: see the fixture `authority`."""

import socket
import ssl

import trustme

from tests.unit.outside.services import Talk


def encrypted(authority: trustme.CA, host: str, talk: Talk, seen: list[str | None] | None = None) -> Talk:
    """The talk in TLS, with a certificate for this host; `seen` gets the names that clients ask for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    if seen is not None:
        context.sni_callback = lambda _connection, name, _context: seen.append(name)

    def talked(connection: socket.socket) -> None:
        with context.wrap_socket(connection.detached(), server_side=True) as inner:  # type: ignore[attr-defined]
            talk(inner)

    return talked
