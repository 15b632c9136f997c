"""Credentials that sign URLs: an account's key file, or the IAM API on behalf of an account without one."""

from pathlib import Path
from typing import Any

import google.auth
from google.auth import impersonated_credentials
from google.oauth2 import service_account

from shared.settings import Settings

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials(settings: Settings) -> Any:
    """Credentials that sign as `SLUICE_SIGNER`. Without a key file, each signature is a call of IAM's signBlob."""
    settings.require("signer")
    if settings.signer_key:
        return service_account.Credentials.from_service_account_file(str(Path(settings.signer_key)))
    own, _project = google.auth.default(scopes=[_SCOPE])
    return impersonated_credentials.Credentials(own, target_principal=settings.signer, target_scopes=[_SCOPE])
