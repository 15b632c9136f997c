"""Service accounts: their keys, their identity tokens, and the certificates that verify the tokens.

Keys are made on first use and stay in the data folder. No other machine accepts them.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from localcloud.clock import Clock

TOKEN_LIFETIME_SECONDS = 3600
#: A token is reused while it is valid for at least this long, as Google's own services do.
TOKEN_MARGIN_SECONDS = 1800
#: Limit on cached tokens: every URL of a task may be another audience.
MOST_TOKENS = 1000


class Accounts:
    """Service accounts of one project, and the issuer that signs identity tokens for them."""

    def __init__(self, folder: Path, project: str, issuer: str, clock: Clock) -> None:
        self.folder = folder
        self.project = project
        self.issuer = issuer
        self._clock = clock
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._issuer_signer: crypt.RSASigner | None = None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def email(self, name: str) -> str:
        """`signer` → `signer@<project>.iam.gserviceaccount.com`."""
        return f"{name}@{self.project}.iam.gserviceaccount.com"

    def key_file(self, name: str) -> Path:
        """The account's JSON key in Google's format, made on first use."""
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", name):
            raise ValueError(f"{name!r} is not a service account name: lower-case letters, digits and hyphens")
        path = self.folder / f"{name}.json"
        if not path.exists():
            _write_private(path, json.dumps(self._new_key(name), indent=1))
        return path

    def public_key(self, email: str) -> rsa.RSAPublicKey | None:
        """The key that verifies this account's signatures; None for an account without a key."""
        name, _, domain = email.partition("@")
        path = self.folder / f"{name}.json"
        if domain != f"{self.project}.iam.gserviceaccount.com" or "/" in name or not path.exists():
            return None
        key = serialization.load_pem_private_key(json.loads(path.read_text())["private_key"].encode(), None)
        public = key.public_key()
        return public if isinstance(public, rsa.RSAPublicKey) else None

    def id_token(self, email: str, audience: str) -> str:
        """An OIDC token as Cloud Tasks and Pub/Sub attach it: RS256, valid for one hour, e-mail verified."""
        now = self._clock.time()
        token, expires = self._tokens.get((email, audience), ("", 0.0))
        if expires - now < TOKEN_MARGIN_SECONDS:
            expires = now + TOKEN_LIFETIME_SECONDS
            token = self._sign(email, audience, int(now), int(expires))
            while len(self._tokens) >= MOST_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[email, audience] = token, expires
        return token

    def certificates(self) -> dict[str, str]:
        """Key id → PEM certificate, the shape of https://www.googleapis.com/oauth2/v1/certs."""
        signer = self._signer()
        return {str(signer.key_id): self._issuer_certificate_path.read_text()}

    def _sign(self, email: str, audience: str, issued: int, expires: int) -> str:
        claims = {"iss": self.issuer, "aud": audience, "azp": email, "sub": email, "email": email}
        times = {"email_verified": True, "iat": issued, "exp": expires}
        return str(jwt.encode(self._signer(), claims | times), "ascii")

    @property
    def _issuer_certificate_path(self) -> Path:
        return self.folder / "issuer.pem"

    def _signer(self) -> crypt.RSASigner:
        if self._issuer_signer is None:
            info = json.loads(self.key_file("issuer-key").read_text())
            if not self._issuer_certificate_path.exists():
                _write_private(self._issuer_certificate_path, _certificate(info["private_key"], self.issuer))
            self._issuer_signer = crypt.RSASigner.from_service_account_info(info)
        return self._issuer_signer

    def _new_key(self, name: str) -> dict[str, str]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        digest = hashes.Hash(hashes.SHA1())  # noqa: S303  (a key id, not a signature)
        digest.update(private)
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": digest.finalize().hex(),
            "private_key": private.decode(),
            "client_email": self.email(name),
            "client_id": "100000000000000000000",
            "token_uri": f"{self.issuer}/token",
        }


def _certificate(private_key: str, name: str) -> str:
    key = serialization.load_pem_private_key(private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(start).not_valid_after(start + timedelta(days=3650))
    return certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)
