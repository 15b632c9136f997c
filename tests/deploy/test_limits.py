"""docs/limits.md and deploy/gateway.yaml: services take what the gateway passes on, gcloud takes every command."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from deploy.options import Options
from deploy.services import settings, variables
from shared import cors
from shared.settings import ROOT
from tests.docs import blocks
from tests.unit.deploy.example import deployment

PAGE = ROOT / "docs" / "limits.md"
TEXT = (ROOT / "deploy" / "gateway.yaml").read_text()
GATEWAY = yaml.safe_load(TEXT)
METHODS = ("get", "head", "post", "put", "options", "delete", "patch")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, item in GATEWAY["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def served(path: str) -> str:
    return {"/": "upload", "/{name}": "upload", "/sign": "issuer"}.get(path, "status")


def test_every_operation_goes_to_the_service_whose_methods_it_has() -> None:
    rules = {"upload": cors.UPLOAD, "issuer": cors.ISSUER, "status": cors.STATUS}
    for path, method, operation in operations():
        backend = operation["x-google-backend"]
        assert backend["address"] == f"https://PREFIX-{served(path)}-NUMBER.REGION.run.app"
        assert method == "options" or method.upper() in rules[served(path)].methods
        assert (backend["path_translation"] == "CONSTANT_ADDRESS") == (path == "/sign")
    for service, rule in rules.items():
        passed = {method.upper() for path, method, _ in operations() if served(path) == service}
        assert passed == {*rule.methods, "OPTIONS"}


def test_every_request_but_a_preflight_needs_a_key_and_is_counted() -> None:
    metrics = {limit["metric"]: limit for limit in GATEWAY["x-google-management"]["quota"]["limits"]}
    (header,) = {one["name"] for one in GATEWAY["securityDefinitions"].values()}

    assert (GATEWAY["security"], header) == ([{"api_key": []}], "x-api-key")
    assert {one["name"] for one in GATEWAY["x-google-management"]["metrics"]} == set(metrics)
    assert {limit["unit"] for limit in metrics.values()} == {"1/min/{project}"}
    for path, method, operation in operations():
        counted = "questions" if served(path) == "status" else "uploads"
        is_preflight = method == "options"
        assert operation.get("security") == ([] if is_preflight else None), (path, method)
        assert operation.get("x-google-quota") == (None if is_preflight else {"metricCosts": {counted: 1}}), (path, method)


def test_pages_may_send_the_key_and_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))
    assert all("x-api-key" in rule.headers for rule in (cors.UPLOAD, cors.ISSUER, cors.STATUS))
    for path, item in GATEWAY["paths"].items():
        assert re.findall(r"{(\w+)", path) == [one["name"] for one in item.get("parameters", [])]


def test_the_names_of_services_are_those_that_deploy_sh_gives(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    filled = TEXT.replace("PREFIX", "sluice").replace("NUMBER", it.state.project_number).replace("REGION", "us-central1")

    assert {it.url(service) for service in ("upload", "issuer", "status")} == set(
        re.findall(r"https://[^\"]+\.run\.app", filled)
    )


def test_behind_the_gateway_links_lead_there_and_its_account_is_no_identity(tmp_path: Path) -> None:
    gateway = "https://sluice-1a2b3c.uc.gateway.dev"
    it = deployment(tmp_path, gateway=gateway, allow_unauthenticated="upload")
    links = settings(it)

    assert (links["SLUICE_STATUS_URL"], links["SLUICE_ISSUER_URL"]) == (gateway, f"{gateway}/sign")
    assert [variables(it, door, "16")["SLUICE_CALLERS"] for door in ("upload", "issuer")] == ["shared", "shared"]
    assert "SLUICE_CALLERS" not in variables(it, "status", "16")


@pytest.mark.parametrize(("doors", "ways"), [("", ["verified", "verified"]), ("upload", ["open", "verified"])])
def test_only_a_door_that_cloud_run_guards_has_verified_callers(tmp_path: Path, doors: str, ways: list[str]) -> None:
    it = deployment(tmp_path, allow_unauthenticated=doors, origins="https://app.example")
    given = [variables(it, door, "16") for door in ("upload", "issuer")]

    assert [one["SLUICE_CALLERS"] for one in given] == ways
    assert [one["SLUICE_ORIGINS"] for one in [*given, variables(it, "status", "16")]] == ["https://app.example"] * 3
    assert Options("plan").gateway == ""


def commands() -> list[str]:
    """The gcloud commands of the page, with the values of its variables."""
    text = "\n".join(block.text for block in blocks.read(PAGE) if block.language == "sh").replace("\\\n", " ")
    values = {"PROJECT": "my-project", "PREFIX": "sluice", "REGION": "us-central1", "service": "upload"}
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    found = re.findall(r"(?:^ *|\()(gcloud .+?)\)?$", text, re.MULTILINE)
    return [re.sub(r" +", " ", command).replace("'", "") for command in found]


def test_gcloud_takes_every_command_of_the_page(program: Callable[[str], str], tmp_path: Path) -> None:
    asked = [*commands(), "gcloud run services nonsense"]
    listed = tmp_path / "commands.json"
    listed.write_text(json.dumps([{"command_string": one} for one in asked]))
    lint = [program("gcloud"), "meta", "lint-gcloud-commands", f"--commands-file={listed}"]
    done = subprocess.run(lint, capture_output=True, text=True, check=True, timeout=120)
    *found, planted = json.loads(done.stdout)

    assert len(found) == len(commands()) >= 13
    assert {one["command_string"]: one["error_message"] for one in found if not one["success"]} == {}
    assert not planted["success"]
