"""A throw-away authority and a certificate for *.googleapis.com, made when the stub starts."""

import ssl
from pathlib import Path

import trustme

HOSTS = ("*.googleapis.com", "stub.local")


def server_context(folder: Path) -> ssl.SSLContext:
    """A server's TLS context; its clients must trust `ca.pem` in this folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context
