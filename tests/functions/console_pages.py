"""A viewer of the console: pages and actions as a browser on this computer sends them."""

import functools
import io
import re
from collections.abc import Mapping

from PIL import Image
from werkzeug.test import Client, TestResponse

from shared.model import File
from shared.testing import FakeCloud
from tests.unit.working import work

HERE = "http://127.0.0.1:8088"


class Viewer:
    """A browser without scripts: it keeps the cookie, and sends the hidden fields of the forms."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._client.get(path, base_url=HERE, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def press(self, page: TestResponse, action: str, **values: str) -> TestResponse:
        """Send the form of this action in the page, with these values beside its hidden ones."""
        (form,) = re.findall(rf'<form[^>]* action="{action}".*?</form>', page.text, re.DOTALL)
        return self.post(action, hidden(form) | values)

    def post(self, path: str, data: Mapping[str, str], **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return self._client.post(path, base_url=HERE, data=dict(data), headers={"origin": HERE, **sent})


def hidden(form: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def worked(file: File, cloud: FakeCloud) -> File:
    """The file, after its tasks have ended under today's plan."""
    work(cloud.routes.plan(file), cloud, file)
    return file


@functools.cache
def picture() -> bytes:
    """A PNG that is quickly made smaller."""
    data = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(data, "PNG")
    return data.getvalue()
