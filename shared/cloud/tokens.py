"""Identity tokens of the service's own account, from Google's metadata server."""

from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from shared.errors import Unavailable


def identity_token(audience: str) -> str:
    """A token for this audience, valid for about an hour. Raises `Unavailable`."""
    try:
        return str(id_token.fetch_id_token(Request(), audience))
    except exceptions.GoogleAuthError as error:
        raise Unavailable("Google gives no identity token for this service's account; retry") from error
