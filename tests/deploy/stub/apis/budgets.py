"""billingbudgets.googleapis.com: budgets of the project's billing account."""

from tests.deploy.stub.apis.billing import ACCOUNT
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import NUMBER, PROJECT, World

API = Api("billingbudgets")
BUDGETS = "/v1/billingAccounts/{account}/budgets"
FOLDER = f"{ACCOUNT}/budgets/"


@API.route("GET", BUDGETS)
def listing(world: World, call: Call) -> Json:
    _check(call)
    return {"budgets": world.under(FOLDER)}


@API.route("POST", BUDGETS)
def create(world: World, call: Call) -> Json:
    """The service spells projects by their number, and fills in the account's currency and the basis of thresholds."""
    _check(call)
    name, money = f"{FOLDER}{world.number()}", call.body["amount"]["specifiedAmount"]
    if (money.get("currencyCode") or "USD") != "USD":
        raise Refused(400, "The currency of the budget must be that of the billing account, USD.")
    projects = [project.replace(PROJECT, NUMBER) for project in call.body["budgetFilter"]["projects"]]
    return world.create(
        name,
        {
            **call.body,
            "name": name,
            "etag": f"etag{world.number()}",
            "amount": {"specifiedAmount": {**money, "currencyCode": "USD"}},
            "budgetFilter": {"creditTypesTreatment": "INCLUDE_ALL_CREDITS", **call.body["budgetFilter"], "projects": projects},
            "thresholdRules": [{**rule, "spendBasis": "CURRENT_SPEND"} for rule in call.body["thresholdRules"]],
        },
    )


@API.route("DELETE", BUDGETS + "/{id}")
def delete(world: World, call: Call) -> Json:
    _check(call)
    world.delete(f"{FOLDER}{call.named['id']}")
    return {}


def _check(call: Call) -> None:
    if f"billingAccounts/{call.named['account']}" != ACCOUNT:
        raise Refused(403, "The caller does not have permission")
