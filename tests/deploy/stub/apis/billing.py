"""cloudbilling.googleapis.com: the billing account that pays for the project."""

from tests.deploy.stub.wire import Api, Call, Json
from tests.deploy.stub.world import PROJECT, World

API = Api("cloudbilling")
ACCOUNT = "billingAccounts/012345-6789AB-CDEF01"


@API.route("GET", "/v1/projects/{project}/billingInfo")
def info(_world: World, _call: Call) -> Json:
    name = f"projects/{PROJECT}/billingInfo"
    return {"name": name, "projectId": PROJECT, "billingAccountName": ACCOUNT, "billingEnabled": True}
