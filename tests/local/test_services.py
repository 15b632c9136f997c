"""The services of the stack: one for each pool, and none that cuts a delivery off before its pool's deadline."""

import base64
import re
from pathlib import Path

import pytest
from flask import Flask
from functions_framework._http.gunicorn import GunicornApplication

from local import webhook_secrets
from local.environment import service_environment
from local.services import all_ports, processors, services, urls
from localcloud.accounts import Accounts
from localcloud.address import Ports
from localcloud.clock import SystemClock
from shared import routes
from shared.settings import ROOT
from tests.unit.pipelines import POOLS, WEBHOOK, WHOLE

THIRD = POOLS.partition("\n\n")[0].replace("default", "big")
ROUTES = routes.parse(POOLS + THIRD + WHOLE)
WITH_WEBHOOK = routes.parse(POOLS + THIRD + WHOLE + WEBHOOK)
POOLS_OF = ROUTES.pools.values()
#: The variable from which functions-framework takes gunicorn's limit on requests.
TIMEOUT = "CLOUD_RUN_TIMEOUT_SECONDS"


def test_each_pool_is_a_service_with_its_port_and_its_threads() -> None:
    found = {pool: (each.name, each.port, each.variables) for pool, each in processors(POOLS_OF).items()}

    assert found == {
        "default": ("processor", 8083, {"SLUICE_POOL": "default", "THREADS": "3"}),
        "slow": ("processor-slow", 8091, {"SLUICE_POOL": "slow", "THREADS": "2"}),
        "big": ("processor-big", 8092, {"SLUICE_POOL": "big", "THREADS": "3"}),
    }


def test_no_two_services_share_a_port_and_all_are_reserved() -> None:
    ports = Ports(1000)
    found = [each.port_at(ports) for each in services(WITH_WEBHOOK)]

    assert len(found) == len(set(found)) == 10
    assert set(found) <= all_ports(ports) - ports.all


def test_the_notifier_runs_where_there_is_a_webhook() -> None:
    assert "notifier" not in {each.name for each in services(ROUTES)}
    assert "SLUICE_NOTIFIER_URL" not in urls(ROUTES, Ports())
    assert urls(WITH_WEBHOOK, Ports(1))["SLUICE_NOTIFIER_URL"] == "http://127.0.0.1:8091"


def test_the_notifier_has_threads_for_a_receiver_that_hangs_and_for_pushes() -> None:
    (notifier,) = (each for each in services(WITH_WEBHOOK) if each.name == "notifier")

    assert notifier.variables == {"THREADS": "18"}


def test_the_secrets_of_webhooks_are_in_the_data_folder(accounts: Accounts, tmp_path: Path) -> None:
    notifier = next(each for each in services(WITH_WEBHOOK) if each.name == "notifier")
    given = service_environment(notifier, WITH_WEBHOOK, Ports(), accounts, tmp_path)

    assert given["SLUICE_WEBHOOK_SECRETS"] == f"{tmp_path}/secrets"
    assert given["SLUICE_WEBHOOK_LOOPBACK"] == "1"


def test_the_urls_of_pools_are_one_variable() -> None:
    found = urls(ROUTES, Ports(1))

    expected = "default=http://127.0.0.1:8084,slow=http://127.0.0.1:8092,big=http://127.0.0.1:8093"
    assert found["SLUICE_PROCESSOR_URLS"] == expected
    assert found.keys() == {
        f"SLUICE_{name}" for name in ("UPLOAD_URL", "ISSUER_URL", "DISPATCHER_URL", "STATUS_URL", "CONSOLE_URL", "SWEEPER_URL")
    } | {"SLUICE_PROCESSOR_URLS"}


def test_the_secret_of_keys_is_made_once_and_only_the_doors_have_it(tmp_path: Path) -> None:
    def found() -> dict[str, str | None]:
        accounts = Accounts(tmp_path, "local-project", "http://127.0.0.1", SystemClock())
        given = {one.name: service_environment(one, ROUTES, Ports(), accounts, tmp_path) for one in services(ROUTES)}
        return {name: variables.get("SLUICE_KEY_SECRET") for name, variables in given.items()}

    first = found()
    secret = first["upload"]
    others = {name: value for name, value in first.items() if name not in ("upload", "issuer")}

    assert re.fullmatch("[0-9a-f]{64}", secret or "")
    assert first["issuer"] == secret
    assert set(others.values()) == {None}
    assert found() == first
    assert (tmp_path / "key-secret").stat().st_mode & 0o777 == 0o600


def test_a_missing_secret_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    webhook_secrets.make(tmp_path, WITH_WEBHOOK)
    path = tmp_path / "secrets" / "orders" / "value"
    made = path.read_text()
    webhook_secrets.make(tmp_path, WITH_WEBHOOK)

    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == made


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_server_has_no_time_limit_of_its_own(monkeypatch: pytest.MonkeyPatch, accounts: Accounts, threads: str) -> None:
    monkeypatch.setenv(TIMEOUT, "5")
    given = service_environment(processors(POOLS_OF)["default"], ROUTES, Ports(), accounts, ROOT)
    monkeypatch.delenv(TIMEOUT)
    monkeypatch.setenv("THREADS", threads)

    assert GunicornApplication(Flask("any"), "127.0.0.1", 8080, False).cfg.timeout == 0
    assert TIMEOUT not in given
    assert TIMEOUT not in (ROOT / "Dockerfile").read_text()
