"""The image of all services, and the repository that holds it."""

from collections.abc import Iterator
from dataclasses import replace

from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Repository
from deploy.running import Runner

#: What deploy/cleanup.json says.
KEPT = Repository("DOCKER", 10, 30 * 24 * 3600)


def repository(deployment: Deployment) -> Iterator[list[Command]]:
    """The image repository, which keeps the newest ten images, and all of thirty days."""
    name, found = deployment.options.prefix, deployment.state.repositories.get(deployment.options.prefix)
    group, place = ["artifacts", "repositories"], deployment.at_location
    create = [*group, "create", name, "--repository-format=docker", place, f"--labels={deployment.label}"]
    clean_up = [*group, "set-cleanup-policies", name, place, "--policy=deploy/cleanup.json", "--no-dry-run"]
    if found is None:
        yield [create, clean_up]
    elif found != replace(KEPT, label=name):
        label, is_kept = deployment.relabel(found.label), replace(found, label="") == KEPT
        yield [*([[*group, "update", name, place, *label]] if label else []), *([] if is_kept else [clean_up])]


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
    return f"--substitutions=^;^_IMAGE={image};_EXTRAS={options.extras};_BASE={options.base_image}"
