"""deploy.sh retries transient errors, and no others."""

import re

import pytest

from deploy import running

#: Errors as gcloud prints them, one for each pattern.
TRANSIENT = [
    "Service account sluice-push@demo-project.iam.gserviceaccount.com does not exist.",
    "Role (projects/demo-project/roles/sluice.tail) does not exist in the resource's hierarchy.",
    "Permission 'iam.serviceaccounts.actAs' denied on service account sluice-upload@demo-project.iam.gserviceaccount.com",
    'The principal lacks IAM permission "iam.serviceAccounts.actAs" for the resource "sluice-tasks@demo-project"',
    "The service account is not permitted to publish to the topic",
    "The service account does not have permission to publish messages to the Cloud Pub/Sub topic",
    'denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource',
    "sluice-build does not have storage.objects.get access to the Google Cloud Storage object",
    "Cloud Run Admin API has not been used in project 123456789012 before or it is disabled.",
    "Google Cloud Run Service Agent must have permission to read the image, us-docker.pkg.dev/x. If you just enabled the Cloud "
    "Run API, the permissions might take a few minutes to propagate.",
    'Cannot find metric that matches type = "logging.googleapis.com/user/sluice-verdicts".',
    "There were concurrent policy changes. Retry the whole read-modify-write with exponential backoff.",
    "Conflict for resource 'sluice-upload': version mismatch.",
    "ABORTED: the operation was aborted.",
    "HTTPError 409: Concurrent modification of the bucket.",
    "HTTPError 412: Concurrent modification of the bucket.",
    "UNAVAILABLE: backend error",
    "The service is currently unavailable.",
    "We encountered an internal error. Please try again.",
    "Internal error. Try again later.",
    "RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'Write requests'",
    "HTTPError 429: too many requests",
    "HTTPError 503: backend",
    "Connection to pubsub.googleapis.com timed out.",
]
FOR_GOOD = [
    "HTTPError 409: The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
    "Please select a different name and try again.",
    "PERMISSION_DENIED: User not authorized to perform this action.",
    "INVALID_ARGUMENT: Account limit is reached.",
    "HTTPError 412: The member bindings allUsers and allAuthenticatedUsers are not allowed: public access prevention.",
    "Quota violated: CpuAllocPerProjectRegion requested: 30000 allowed: 20000",
    "Image 'us-docker.pkg.dev/x' not found.",
]


@pytest.mark.parametrize(("said", "expected"), [*((said, True) for said in TRANSIENT), *((said, False) for said in FOR_GOOD)])
def test_errors_that_pass_are_tried_again_and_others_are_not(said: str, expected: bool) -> None:
    assert running.is_transient(said) == expected


def test_every_pattern_is_needed() -> None:
    """Each is the only one for an error above."""
    matching = [[pattern for pattern in running.TRANSIENT if re.search(pattern, said)] for said in TRANSIENT]

    assert [found for found in matching if len(found) != 1] == []
    assert {found[0] for found in matching} == set(running.TRANSIENT)
