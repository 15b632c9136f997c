"""The image and its repository, and the services that run from it."""

import json
from collections.abc import Iterator

from deploy import grants, secret_manager
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Repository, Service
from deploy.listing import NOTIFIER
from deploy.running import Runner
from deploy.variables import Secret
from shared import capacity
from shared.processors import find

#: What deploy/cleanup.json says.
KEPT = Repository("DOCKER", 10, 30 * 24 * 3600)
#: The folder of the webhooks' secrets: the default of SLUICE_WEBHOOK_SECRETS.
SECRETS = "/secrets"


def repository(deployment: Deployment) -> Iterator[list[Command]]:
    """The image repository, which keeps the newest ten images, and all of thirty days."""
    name, found = deployment.options.prefix, deployment.state.repositories.get(deployment.options.prefix)
    group, place = ["artifacts", "repositories"], deployment.at_location
    create = [[*group, "create", name, "--repository-format=docker", place]]
    clean_up = [*group, "set-cleanup-policies", name, place, "--policy=deploy/cleanup.json", "--no-dry-run"]
    if found != KEPT:
        yield [*([] if found else create), clean_up]


def image(deployment: Deployment, runner: Runner) -> None:
    """Build the image unless its sources were built before. In a plan `DIGEST-OF-TAG` stands for the digest to come."""
    built = deployment.state.digest or runner.ask(_build(deployment), f"DIGEST-OF-{deployment.tag}")
    digest, _, base = built.partition("\t")
    deployment.image = f"{deployment.repository}/functions@{digest}"
    if base:
        print(f"built on {base}; --base-image {base} builds on the same bytes again", flush=True)


def _build(deployment: Deployment) -> Command:
    account = f"projects/{deployment.options.project}/serviceAccounts/{deployment.email('build')}"
    return [
        *("builds", "submit", ".", "--config=deploy/cloudbuild.yaml"),
        substitutions(deployment),
        f"--service-account={account}",
        f"--gcs-source-staging-dir=gs://{deployment.bucket('build')}/source",
        "--suppress-logs",
        "--format=value(results.images[0].digest,results.buildStepOutputs[0].decode(base64))",
    ]


def substitutions(deployment: Deployment) -> str:
    """The variables of deploy/cloudbuild.yaml as a flag. Its separator is no comma: these stand between extras."""
    image, options = f"{deployment.repository}/functions:{deployment.tag}", deployment.options
    return f"--substitutions=^;^_IMAGE={image};_BASE={options.base_image};_EXTRAS={options.extras}"


def service(
    deployment: Deployment, name: str, cpu: str, memory: str, at_once: str, seconds: str, instances: str, ingress: str
) -> Iterator[list[Command]]:
    """One service: size of an instance, its requests at once, their time limit, most instances, ingress."""
    wanted = Service(
        image=deployment.image,
        account=deployment.email(name),
        concurrency=at_once,
        timeout_seconds=seconds,
        cpu=cpu,
        memory=memory,
        instances=instances,
        ingress=ingress,
        variables=variables(deployment, name, at_once),
        mounts=_mounts(deployment, name),
        iap=name == "console" and deployment.is_behind_iap,
    )
    file = deployment.write(f"variables-{name}.yaml", _plain(wanted))
    full, found = deployment.short(name), deployment.state.services.get(deployment.short(name))
    if found != wanted:
        # The flag is in gcloud beta only. Without it gcloud leaves the service behind Identity-Aware Proxy, or not, as it was.
        changes_iap = wanted.iap or (found and found.iap)
        group, iap = (["beta", "run"], [f"--{'' if wanted.iap else 'no-'}iap"]) if changes_iap else (["run"], [])
        flags = [*_flags(wanted), *_secrets(wanted, found), *iap, f"--env-vars-file={file}"]
        # Strangers' names are not verified: they are shut out before the service takes its callers' names for verified.
        before = (
            grants.shut_out(deployment, f"service:{name}") if wanted.variables.get("SLUICE_CALLERS", "open") != "open" else []
        )
        yield [*before, [*group, "deploy", full, deployment.in_region, *flags]]


def _plain(wanted: Service) -> str:
    """The variables that are no secrets, as YAML."""
    plain = {variable: value for variable, value in wanted.variables.items() if not isinstance(value, Secret)}
    return "".join(f"{variable}: {json.dumps(value)}\n" for variable, value in sorted(plain.items()))


def _secrets(wanted: Service, found: Service | None) -> list[str]:
    """The flag for variables and files that are in Secret Manager; without it gcloud leaves them as they were."""
    listed = [f"{name}={value}" for name, value in _in_secret_manager(wanted)]
    had = found is not None and any(_in_secret_manager(found))
    return [f"--set-secrets={','.join(listed)}"] if listed else ["--clear-secrets"] if had else []


def _in_secret_manager(service: Service) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in [*service.variables.items(), *service.mounts] if isinstance(value, Secret))


def _mounts(deployment: Deployment, name: str) -> tuple[tuple[str, str], ...]:
    """The files of the notifier: secrets of webhooks. It reads them at each delivery: a new version counts."""
    secrets = deployment.webhook_secrets if name == NOTIFIER else []
    return tuple(sorted((f"{SECRETS}/{secret}/value", Secret(f"{secret}:latest")) for secret in secrets))


def pools(deployment: Deployment, _function: str, ingress: str) -> Iterator[list[Command]]:
    """A service for each pool of pipeline.toml, which has the numbers."""
    for name, pool in deployment.pools.items():
        at_once, seconds, instances = str(pool.concurrency), str(pool.deadline_seconds), str(pool.max_instances)
        yield from service(deployment, name, str(pool.cpu), amount(pool.memory_bytes), at_once, seconds, instances, ingress)


def amount(memory_bytes: int) -> str:
    """Bytes as Cloud Run prints them: `4Gi` or `4352Mi`."""
    mebibytes = memory_bytes >> 20
    return f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes >> 10}Gi"


def variables(deployment: Deployment, name: str, at_once: str) -> dict[str, str]:
    """Every variable of a service: the one place where a deployed service gets its settings."""
    signer, reader = {"SLUICE_SIGNER": deployment.email("signer")}, {"SLUICE_READER": deployment.email("reader")}
    doors = {name: _callers(deployment, name) for name in ("upload", "issuer")}
    own = {
        "upload": doors["upload"],
        "issuer": signer | doors["issuer"],
        "status": reader | _pages(deployment),
        "console": signer | reader | _access(deployment),
    }
    function = deployment.listing.functions[name]
    return {
        "FUNCTION_TARGET": function,
        "FUNCTION_SOURCE": f"functions/{function}/main.py",
        "THREADS": at_once,
        **settings(deployment),
        **own.get(name, {}),
        **(_of_pool(deployment, name) if name in deployment.pools else {}),
    }


def _callers(deployment: Deployment, name: str) -> dict[str, str]:
    """Who calls this door, and the secret that their idempotency keys are mixed with."""
    is_open = name in deployment.options.allow_unauthenticated.split(",")
    way = "shared" if deployment.options.gateway else "open" if is_open else "verified"
    secret = Secret(f"{deployment.full('keys')}:{secret_manager.version(deployment, 'keys')}")
    return {"SLUICE_CALLERS": way, "SLUICE_KEY_SECRET": secret, **_pages(deployment)}


def _pages(deployment: Deployment) -> dict[str, str]:
    """The origins of web pages that may call a service."""
    return {"SLUICE_ORIGINS": deployment.options.origins} if deployment.options.origins else {}


def _of_pool(deployment: Deployment, name: str) -> dict[str, str]:
    """Its name; and where steps run outside the sandbox, what these reach. No other service has their secrets."""
    pool, options = deployment.pools[name], deployment.options
    reached = {
        "SLUICE_CLAMD": options.clamd,
        "SLUICE_SERVICE_ORIGINS": options.service_origins,
        "SLUICE_SERVICE_SECRETS": Secret(f"{options.service_secrets}:latest") if options.service_secrets else "",
    }
    is_outside = any(find(one).outside for one in capacity.processors(deployment.routes, pool))
    return {"SLUICE_POOL": pool.name} | ({name: value for name, value in reached.items() if value} if is_outside else {})


def _access(deployment: Deployment) -> dict[str, str]:
    options = deployment.options
    place = f"/projects/{deployment.state.project_number}/locations/{options.region}"
    return {
        "SLUICE_CONSOLE_ACCESS": options.console_access,
        "SLUICE_IAP_AUDIENCE": f"{place}/services/{deployment.short('console')}",
        "SLUICE_OPERATORS": options.console_operators,
    }


def settings(deployment: Deployment) -> dict[str, str]:
    """The settings that all services share, and the operators' command line with them."""
    options = deployment.options
    return {
        "GOOGLE_CLOUD_PROJECT": options.project,
        "SLUICE_LOCATION": options.region,
        "SLUICE_UPLOADS_BUCKET": deployment.bucket("uploads"),
        "SLUICE_RESULTS_BUCKET": deployment.bucket("results"),
        "SLUICE_UPLOADS_TOPIC": deployment.full("uploads"),
        "SLUICE_COMPLETIONS_TOPIC": deployment.full("completions"),
        "SLUICE_DEAD_LETTERS_TOPIC": deployment.full("dead-letters"),
        "SLUICE_QUEUE_PREFIX": deployment.full(""),
        "SLUICE_QUEUE_AUTH": options.queue_auth,
        "SLUICE_UPLOAD_URL": deployment.url("upload"),
        "SLUICE_ISSUER_URL": f"{options.gateway}/sign" if options.gateway else deployment.url("issuer"),
        "SLUICE_DISPATCHER_URL": deployment.url("dispatcher"),
        "SLUICE_PROCESSOR_URLS": ",".join(f"{pool.name}={deployment.url(name)}" for name, pool in deployment.pools.items()),
        "SLUICE_STATUS_URL": options.gateway or deployment.url("status"),
        **({"SLUICE_NOTIFIER_URL": deployment.url(NOTIFIER)} if deployment.webhooks else {}),
        "SLUICE_SWEEPER_URL": deployment.url("sweeper"),
        "SLUICE_CLOCK_ACCOUNT": deployment.email("clock"),
        "SLUICE_PUSH_ACCOUNT": deployment.email("push"),
        "SLUICE_TASKS_ACCOUNT": deployment.email("tasks"),
        "SLUICE_MAX_FILE_BYTES": options.max_file_bytes,
        "SLUICE_URL_SECONDS": options.url_seconds,
    }


def _flags(wanted: Service) -> list[str]:
    return [
        f"--image={wanted.image}",
        f"--service-account={wanted.account}",
        f"--cpu={wanted.cpu}",
        f"--memory={wanted.memory}",
        f"--concurrency={wanted.concurrency}",
        f"--timeout={wanted.timeout_seconds}",
        f"--max-instances={wanted.instances}",
        f"--execution-environment={wanted.environment}",
        "--cpu-boost",
        f"--ingress={wanted.ingress}",
        "--invoker-iam-check",
    ]


def newest_revisions(deployment: Deployment) -> Iterator[list[Command]]:
    """Send requests to the newest revision again where an older one was chosen by hand."""
    for full in map(deployment.short, deployment.listing.services):
        found = deployment.state.services.get(full)
        if found and not found.only_newest:
            yield [["run", "services", "update-traffic", full, deployment.in_region, "--to-latest"]]
