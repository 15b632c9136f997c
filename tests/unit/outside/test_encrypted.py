"""`service.call` by https: only with a certificate that the system trusts, for the host of the address."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from shared import origins, processors
from shared.errors import ProcessorFailed
from shared.processors import Made
from tests.unit.outside.encryption import encrypted
from tests.unit.outside.services import Server, answering, ok, serving, written


@pytest.fixture
def call(tmp_path: Path) -> Callable[[Server], Made]:
    def called(server: Server) -> Made:
        url = f"https://localhost:{server.port}/"
        processor = processors.find("service.call")
        reach = replace(server.reach, origins=frozenset({origins.of(url)}))
        return processor.run(written(tmp_path, b"text"), tmp_path, processor.check({"url": url}), reach=reach)

    return called


def test_a_service_with_a_trusted_certificate_is_called(authority: trustme.CA, call: Callable[[Server], Made]) -> None:
    with serving(encrypted(authority, "localhost", answering(ok(b'{"a": 1}')))) as service:
        assert call(service).facts == {"a": 1}


def test_a_certificate_of_another_host_is_refused(authority: trustme.CA, call: Callable[[Server], Made]) -> None:
    talk = encrypted(authority, "other.test", answering(ok(b'{"a": 1}')))
    with serving(talk) as service, pytest.raises(ProcessorFailed, match="its certificate is refused: Hostname mismatch"):
        call(service)

    assert service.received == [b""]


@pytest.mark.usefixtures("authority")
def test_a_certificate_of_an_unknown_authority_is_refused(call: Callable[[Server], Made]) -> None:
    talk = encrypted(trustme.CA(), "localhost", answering(ok(b'{"a": 1}')))
    with serving(talk) as service, pytest.raises(ProcessorFailed, match="its certificate is refused: "):
        call(service)

    assert service.received == [b""]
