"""The variables and the file that point gsutil, gcloud and Google's libraries to the local cloud."""

from pathlib import Path

from localcloud.address import HOST, LOCATION, PROJECT, Ports
from localcloud.folder import prepare
from localcloud.tls import tls_files


def environment(data: Path, ports: Ports) -> dict[str, str]:
    """The variables to export; also writes gsutil's configuration into the data folder. Raises `CannotRun`."""
    data = prepare(data)
    bundle = str(tls_files(data / "tls").bundle)
    (data / "boto").write_text(_boto(data, ports, bundle))
    return {
        "BOTO_CONFIG": str(data / "boto"),
        "CLOUDSDK_CONFIG": str(data / "gcloud"),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        # gcloud passes this to gsutil on the command line, which overrides the boto file.
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": bundle,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"http://{HOST}:{ports.storage}/storage/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{HOST}:{ports.pubsub}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS": f"http://{HOST}:{ports.tasks}/",
        "STORAGE_EMULATOR_HOST": f"http://{HOST}:{ports.storage}",
        # gcsfs would ask for the type of each bucket over gRPC with TLS, and wait a minute for an answer.
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports.pubsub_grpc}",
        # No library of Google reads this one: README.md shows how a program passes it on.
        "CLOUDTASKS_EMULATOR_HOST": f"{HOST}:{ports.tasks_grpc}",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "GOOGLE_CLOUD_REGION": LOCATION,
    }


def _boto(data: Path, ports: Ports, bundle: str) -> str:
    return f"""# Written by the local cloud; gsutil reads it through BOTO_CONFIG.
[Credentials]
gs_json_host = {HOST}
gs_json_port = {ports.storage_tls}
gs_host = {HOST}:{ports.storage_tls}
gs_pubsub_host = {HOST}
gs_pubsub_port = {ports.pubsub_tls}
[Boto]
ca_certificates_file = {bundle}
[GSUtil]
state_dir = {data / "gsutil"}
default_project_id = {PROJECT}
"""
