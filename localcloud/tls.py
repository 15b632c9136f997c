"""A certificate for loopback and the authority that signed it: gsutil speaks only https."""

from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files. Clients trust `bundle`: the system's authorities and this one."""

    authority: Path
    bundle: Path
    certificate: Path
    key: Path


def tls_files(folder: Path) -> TlsFiles:
    """The files in this folder, made on first use. The authority's key is not kept."""
    files = TlsFiles(folder / "ca.pem", folder / "bundle.pem", folder / "server.pem", folder / "server.key")
    if not all(path.exists() for path in (files.authority, files.bundle, files.certificate, files.key)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(files)
    return files


def _make(files: TlsFiles) -> None:
    authority = trustme.CA(organization_name="local cloud")
    server = authority.issue_cert(*NAMES, organization_name="local cloud")
    files.key.touch(mode=0o600)
    files.key.write_bytes(server.private_key_pem.bytes())
    files.certificate.write_bytes(server.cert_chain_pems[0].bytes())
    files.authority.write_bytes(authority.cert_pem.bytes())
    # The last one, whole or not at all: when all files exist, they are used.
    bundle = files.bundle.with_suffix(".new")
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    bundle.replace(files.bundle)
