"""Credentials that sign URLs: an account's key file, or the IAM API on behalf of an account without one."""

from pathlib import Path
from typing import Any

import google.auth
from google.auth import impersonated_credentials
from google.oauth2 import service_account

from shared.settings import Settings

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def of_uploads(settings: Settings) -> Any:
    """Credentials that sign as `SLUICE_SIGNER`."""
    settings.require("signer")
    return _credentials(settings.signer, settings.signer_key)


def of_downloads(settings: Settings) -> Any:
    """Credentials that sign as `SLUICE_READER`."""
    settings.require("reader")
    return _credentials(settings.reader, settings.reader_key)


def _credentials(account: str, key: str) -> Any:
    """Without a key file, each signature is a call of IAM's signBlob."""
    if key:
        return service_account.Credentials.from_service_account_file(str(Path(key)))
    own, _project = google.auth.default(scopes=[_SCOPE])
    return impersonated_credentials.Credentials(own, target_principal=account, target_scopes=[_SCOPE])
