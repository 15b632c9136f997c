"""Whether a file may come in, decided by its first bytes. Pure."""

from shared import media
from shared.errors import BadRequest, UnsupportedType
from shared.intake.stream import Incoming
from shared.routes import Routes


def admit(incoming: Incoming, head: bytes, name: str, routes: Routes) -> str:
    """Decide the content type of a file by its first bytes; `name` is its object's. Pure.

    Raises `BadRequest` for an empty file, `UnsupportedType` where no route takes the file.
    """
    if not head:
        raise BadRequest(f"{incoming.name} is empty; send at least one byte", "empty_file")
    content_type = media.decide_type(incoming.content_type, head, incoming.name)
    if refusal := routes.why_not(content_type, name, incoming.metadata):
        raise UnsupportedType(f"{incoming.name}: {refusal}")
    return content_type
