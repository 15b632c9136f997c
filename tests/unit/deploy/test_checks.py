"""A setting or pipeline.toml with which a service would not start is refused before anything changes."""

import ast
from pathlib import Path

import pytest

from deploy import checks, services
from deploy.errors import Failed
from deploy.variables import Secret
from shared import settings
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE, WEBHOOKS, deployment

SCANNING = PIPELINE.replace('processor = "any.digest"', 'processor = "any.scan"')
CALLING = PIPELINE.replace(
    'processor = "any.digest"\n',
    'processor = "service.call"\noptions = { url = "https://tika.test/", secret_headers = { X-Key = "tika" } }\n',
)
SIGNING = "(sluice-issuer, sluice-status, sluice-console would not start)"


def refusal(folder: Path, text: str = PIPELINE, **options: str) -> str:
    with pytest.raises(Failed) as refused:
        checks.check(deployment(folder, text=text, **options))
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (PIPELINE + WEBHOOKS, {}),
        (PIPELINE, {"url_seconds": "43200", "origins": "https://a.example", "console_operators": "ann@example.com"}),
        (PIPELINE, {"console_access": "iap", "allow_unauthenticated": "issuer,upload,status", "queue_auth": "task"}),
        (PIPELINE, {"gateway": "https://sluice-1a2b3c.uc.gateway.dev"}),
        (SCANNING, {"clamd": "10.0.0.5:3310"}),
        (CALLING, {"service_origins": "https://tika.test", "service_secrets": "calls"}),
    ],
)
def test_services_that_would_start_are_not_refused(text: str, options: dict[str, str], tmp_path: Path) -> None:
    checks.check(deployment(tmp_path, text=text, **options))


def test_the_guards_ceilings_reach_the_sweeper_and_the_command_line(tmp_path: Path) -> None:
    it = deployment(tmp_path, guard_runs_per_object="70000", guard_files_per_day="5")
    ceilings = {"SLUICE_GUARD_RUNS_PER_OBJECT": "70000", "SLUICE_GUARD_FILES_PER_DAY": "5"}

    assert ceilings.items() <= services.variables(it, "sweeper", "2").items()
    assert ceilings.items() <= services.settings(it).items()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (PIPELINE, {"url_seconds": "43201"}, f"--url-seconds is 43201; what the IAM API signs is valid for 43200 seconds at most: "
         f"set a lower number {SIGNING}"),
        (PIPELINE, {"url_seconds": "604801"}, "--url-seconds is 604801; Cloud Storage allows at most 604800 (sluice-upload, "),
        (SCANNING, {}, "steps.digest: any.scan needs clamd; set --clamd to its host:port"),
        (SCANNING, {"clamd": "clamd:99999"}, "--clamd is 'clamd:99999'; write host:port"),
        (CALLING, {}, "service.call may not call https://tika.test; add it to --service-origins"),
        (CALLING, {"service_origins": "https://tika.test"}, "service.call lacks the secret 'tika'; add it to --service-secrets"),
        (PIPELINE + WEBHOOKS, {"url_seconds": "604801"}, "sluice-notifier"),
    ],
)  # fmt: skip
def test_services_that_would_not_start_are_named_with_the_option(
    text: str, options: dict[str, str], said: str, tmp_path: Path
) -> None:
    found = refusal(tmp_path, text, **options)

    assert said in found
    assert found.endswith("\nnothing was changed")
    assert "SLUICE_URL_SECONDS" not in found


def test_what_is_in_secret_manager_is_not_read(tmp_path: Path) -> None:
    it = deployment(tmp_path, text=CALLING, service_origins="https://tika.test", service_secrets="calls")
    checks.check(it)

    assert services.variables(it, "processor-slow", "1")["SLUICE_SERVICE_SECRETS"] == Secret("calls:latest")


def test_the_ceilings_of_the_guard_are_those_of_the_sweeper_and_of_operators(tmp_path: Path) -> None:
    """A sweep from the command line that had others would pause the queues at once."""
    it = deployment(tmp_path, guard_files_per_day="5000000", guard_runs_per_object="9000")
    ceilings = {"SLUICE_GUARD_FILES_PER_DAY": "5000000", "SLUICE_GUARD_RUNS_PER_OBJECT": "9000"}

    assert ceilings.items() <= services.variables(it, "sweeper", "1").items()
    assert ceilings.items() <= services.settings(it).items()


def test_every_service_has_the_settings_that_its_function_requires(tmp_path: Path) -> None:
    it = deployment(tmp_path, text=PIPELINE + WEBHOOKS)
    for name, function in it.listing.functions.items():
        given = services.variables(it, name, "1")
        calls = [node for node in ast.walk(ast.parse((ROOT / "functions" / function / "main.py").read_text()))
                 if isinstance(node, ast.Call) and ast.unparse(node.func) == "cloud.settings.require"]  # fmt: skip
        required = [ast.literal_eval(argument) for call in calls for argument in call.args]

        assert required, f"functions/{function}/main.py requires no setting"
        missing = [it for it in required if not given.get(settings.declared()[it].variable)]
        assert missing == [], f"{name} would not start"


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('"any.digest"', '"any.digset"', "steps.digest.processor: 'any.digset' is unknown; write one of any.digest, "),
        (
            '"any.digest"',
            '"any.digest"\noptions = { algorithm = "md5" }',
            "steps.digest.options.algorithm: unknown; any.digest",
        ),
        ('queue = "digests"', 'queue = "digest"', "steps.digest.queue: 'digest' is not allowed; write one of digests, images"),
        ("second = 200", "second = 5000", "queues.digests.max_dispatches_per_second: 5000 is not allowed; write a number from"),
        (
            "dispatches = 12",
            "dispatches = 5001",
            "queues.digests.max_concurrent_dispatches: 5001 is not allowed; write a whole",
        ),
        ("attempts = 5", "attempt = 5", "queues.images.attempt: unknown"),
    ],
)
def test_a_wrong_pipeline_toml_is_refused(right: str, wrong: str, fault: str, tmp_path: Path) -> None:
    assert right in PIPELINE
    with pytest.raises(Failed) as refused:
        deployment(tmp_path, text=PIPELINE.replace(right, wrong))

    assert fault in str(refused.value)


def test_a_missing_secret_of_calls_is_refused_before_anything_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"service_origins": "https://tika.test", "service_secrets": "calls"}
    up, plan = deployment(tmp_path, text=CALLING, **given), deployment(tmp_path, "plan", text=CALLING, **given)
    said = "--service-secrets: the project has no secret calls; make one, see docs/services.md:\n  gcloud secrets create calls "
    with pytest.raises(Failed, match=said + r"[^\n]*\nnothing was changed$"):
        checks.require_secret(up)
    checks.require_secret(plan)

    assert capsys.readouterr().err.startswith(f"note: {said}")
    checks.require_secret(deployment(tmp_path, "status", text=CALLING, **given))
    assert capsys.readouterr().err == ""
    up.state.secrets["calls"] = ()
    checks.require_secret(up)
    checks.require_secret(deployment(tmp_path, service_secrets="calls"))  # no step has it
