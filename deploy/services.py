"""The services, which all run from one image."""

import json
from collections.abc import Iterator

from deploy import grants, secret_manager
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import LABEL, Service
from deploy.listing import NOTIFIER
from deploy.variables import Secret
from shared import capacity
from shared.processors import find
from shared.routes.definitions import DEFAULT_POOL

#: The folder of the webhooks' secrets: the default of SLUICE_WEBHOOK_SECRETS.
SECRETS = "/secrets"


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
        least_instances=_least(deployment, name, instances),
        label=deployment.options.prefix,
        ingress=ingress,
        variables=variables(deployment, name, at_once),
        mounts=_mounts(deployment, name),
        invoker_check=not (_is_open(deployment, name) and deployment.options.no_invoker_iam_check),
        iap=name == "console" and deployment.is_behind_iap,
    )
    found = deployment.state.services.get(deployment.short(name))
    if found != wanted:
        yield [*_closing(deployment, name, wanted, found), _deploy(deployment, name, wanted, found)]


def _deploy(deployment: Deployment, name: str, wanted: Service, found: Service | None) -> Command:
    file = deployment.write(f"variables-{name}.yaml", _plain(wanted))
    # The flag is in gcloud beta only. Without it gcloud leaves the service behind Identity-Aware Proxy, or not, as it was.
    changes_iap = wanted.iap or (found and found.iap)
    group, iap = (["beta", "run"], [f"--{'' if wanted.iap else 'no-'}iap"]) if changes_iap else (["run"], [])
    flags = [*_flags(wanted), *_secrets(wanted, found), *iap, f"--env-vars-file={file}"]
    return [*group, "deploy", deployment.short(name), deployment.in_region, *flags]


def _closing(deployment: Deployment, name: str, wanted: Service, found: Service | None) -> list[Command]:
    """Shut strangers out, whose names are not verified, before the service takes its callers' names for verified."""
    if wanted.variables.get("SLUICE_CALLERS", "open") == "open":
        return []
    check = ["run", "services", "update", deployment.short(name), deployment.in_region, "--invoker-iam-check"]
    return [*grants.shut_out(deployment, f"service:{name}"), *([check] if found and not found.invoker_check else [])]


def _least(deployment: Deployment, name: str, instances: str) -> str:
    """The instances that wait for requests: those of --min-instances, but not more than the most."""
    pool = deployment.pools.get(name)
    waits = pool.name == DEFAULT_POOL.name if pool else name in ("upload", "issuer", "dispatcher")
    return str(min(int(deployment.options.min_instances), int(instances))) if waits else "0"


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
    way = "shared" if deployment.options.gateway else "open" if _is_open(deployment, name) else "verified"
    secret = Secret(f"{deployment.full('keys')}:{secret_manager.version(deployment, 'keys')}")
    return {"SLUICE_CALLERS": way, "SLUICE_KEY_SECRET": secret, **_pages(deployment)}


def _is_open(deployment: Deployment, name: str) -> bool:
    """Whether strangers may call this service."""
    return name in deployment.options.allow_unauthenticated.split(",")


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
        "SLUICE_GUARD_FILES_PER_DAY": options.guard_files_per_day,
        "SLUICE_GUARD_RUNS_PER_OBJECT": options.guard_runs_per_object,
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
        f"--min-instances={wanted.least_instances}",
        f"--execution-environment={wanted.environment}",
        "--cpu-boost",
        f"--ingress={wanted.ingress}",
        f"--{'' if wanted.invoker_check else 'no-'}invoker-iam-check",
        f"--update-labels={LABEL}={wanted.label}",
    ]


def newest_revisions(deployment: Deployment) -> Iterator[list[Command]]:
    """Send requests to the newest revision again where an older one was chosen by hand."""
    for full in map(deployment.short, deployment.listing.services):
        found = deployment.state.services.get(full)
        if found and not found.only_newest:
            yield [["run", "services", "update-traffic", full, deployment.in_region, "--to-latest"]]
