"""Access to the console: each way in, forged identities, and actions that other sites send."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from flask import Request
from google.auth import crypt, jwt
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from shared import settings as configuration
from shared.console import protection, site
from shared.console.access import Access
from shared.console.viewer import Viewer
from shared.errors import BadConfiguration, Forbidden
from shared.testing import FakeCloud
from tests.conftest import ENVIRONMENT
from tests.functions.calls import Load

AUDIENCE = "/projects/123456789012/locations/us-central1/services/sluice-console"
SITE = "sluice-console-123456789012.us-central1.run.app"
ANN = "ann@example.com"
TOKEN = "t" * 22
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
PUBLIC, RSA_PUBLIC = (
    key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for key in (KEY, RSA_KEY)
)
Look = Callable[..., TestResponse]


def claims(**changes: Any) -> dict[str, Any]:
    """Identity-Aware Proxy's claims about Ann; a change to None leaves one out."""
    now = int(time.time())
    right = {"iss": "https://cloud.google.com/iap", "aud": AUDIENCE, "iat": now, "exp": now + 600, "email": ANN, "sub": "1"}
    return {name: value for name, value in {**right, **changes}.items() if value is not None}


def signed(payload: Mapping[str, Any], key: ec.EllipticCurvePrivateKey = KEY, key_id: str = "k1") -> str:
    return str(jwt.encode(crypt.EsSigner(key, key_id), payload), "ascii")


def forged(header: Mapping[str, Any], payload: Mapping[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token whose signature is made in any way."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    return b".".join([*parts, base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")]).decode()


def by_rsa(text: bytes) -> bytes:
    """A signature of a key that is published, but of another algorithm."""
    return RSA_KEY.sign(text, padding.PKCS1v15(), hashes.SHA256())


def by_secret(text: bytes) -> bytes:
    """An HMAC with the public key as its secret."""
    mac = hmac.HMAC(PUBLIC, hashes.SHA256())
    mac.update(text)
    return mac.finalize()


@pytest.fixture
def deployed(client: Load, cloud: FakeCloud, tmp_path: Path) -> Callable[..., Look]:
    """A console with one operator, Ann, behind this way in; returns a GET of its first page."""
    (tmp_path / "keys").write_text(json.dumps({"k1": PUBLIC.decode(), "rsa": RSA_PUBLIC.decode()}))

    def load(way: str, **variables: str) -> Look:
        of_way = {
            "iap": {"SLUICE_IAP_AUDIENCE": AUDIENCE, "SLUICE_IAP_KEYS": (tmp_path / "keys").as_uri()},
            "invoker": {"K_SERVICE": "sluice-console"},
        }
        access = {"SLUICE_CONSOLE_ACCESS": way, "SLUICE_OPERATORS": f"Bob@example.com, {ANN}"}
        cloud.settings = configuration.load({**ENVIRONMENT, **access, **of_way[way], **variables})
        console = client("console")
        return lambda **headers: console.get(
            "/", headers={"host": SITE, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    return load


# ---- Identity-Aware Proxy


def test_an_asserted_viewer_sees_the_page_under_their_name(deployed: Callable[..., Look]) -> None:
    answer = deployed("iap")(x_goog_iap_jwt_assertion=signed(claims()))

    assert answer.status_code == 200
    assert ANN in answer.text
    assert "may look" not in answer.text


def test_a_viewer_who_is_no_operator_may_look(deployed: Callable[..., Look]) -> None:
    answer = deployed("iap")(x_goog_iap_jwt_assertion=signed(claims(email="eve@example.com")))

    assert answer.status_code == 200
    assert "eve@example.com · may look" in answer.text


def test_an_operator_may_be_written_in_capitals(deployed: Callable[..., Look]) -> None:
    answer = deployed("iap")(x_goog_iap_jwt_assertion=signed(claims(email="BOB@example.com")))

    assert "may look" not in answer.text


def test_without_operators_nobody_may_act(deployed: Callable[..., Look]) -> None:
    answer = deployed("iap", SLUICE_OPERATORS="")(x_goog_iap_jwt_assertion=signed(claims()))

    assert f"{ANN} · may look" in answer.text


#: Made when they are used: an assertion that has expired meanwhile would be refused for that.
FORGED: dict[str, Callable[[], str]] = {
    "algorithm none": lambda: forged({"alg": "none", "kid": "k1"}, claims()),
    "hmac with the public key": lambda: forged({"alg": "HS256", "kid": "k1"}, claims(), by_secret),
    "another algorithm's name": lambda: forged({"alg": "RS256", "kid": "k1"}, claims()),
    "an algorithm that is not expected": lambda: forged({"alg": "RS256", "kid": "rsa"}, claims(), by_rsa),
    "no signature": lambda: forged({"alg": "ES256", "kid": "k1"}, claims()),
    "a signature of another key": lambda: signed(claims(), OTHER),
    "an unknown key": lambda: signed(claims(), key_id="k2"),
    "no key": lambda: forged({"alg": "ES256"}, claims()),
    "another audience": lambda: signed(claims(aud=AUDIENCE.replace("console", "status"))),
    "no audience": lambda: signed(claims(aud=None)),
    "another issuer": lambda: signed(claims(iss="https://accounts.google.com")),
    "no issuer": lambda: signed(claims(iss=None)),
    "expired": lambda: signed(claims(iat=int(time.time()) - 900, exp=int(time.time()) - 300)),
    "no expiry": lambda: signed(claims(exp=None)),
    "of the future": lambda: signed(claims(iat=int(time.time()) + 300, exp=int(time.time()) + 900)),
    "no e-mail": lambda: signed(claims(email=None)),
    "an e-mail that is no text": lambda: signed(claims(email=[ANN])),
    "claims that are no object": lambda: forged({"alg": "ES256", "kid": "k1"}, [ANN]),  # type: ignore[arg-type]
    "two tokens": lambda: f"{signed(claims())}, {signed(claims())}",
    "no token": lambda: "bearer",
    "empty": lambda: "",
}


@pytest.mark.parametrize("assertion", FORGED.values(), ids=FORGED.keys())
def test_a_forged_assertion_is_refused(deployed: Callable[..., Look], assertion: Callable[[], str]) -> None:
    answer = deployed("iap")(x_goog_iap_jwt_assertion=assertion())

    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "content-security-policy" in answer.headers
    assert "set-cookie" not in answer.headers


def test_headers_that_nobody_signed_let_nobody_in(deployed: Callable[..., Look]) -> None:
    answer = deployed("iap")(
        x_goog_authenticated_user_email=f"accounts.google.com:{ANN}",
        authorization=f"Bearer {forged({'alg': 'RS256'}, {'email': ANN, 'email_verified': True})}",
    )

    assert answer.status_code == 401


def test_without_keys_the_page_is_unavailable_not_open(deployed: Callable[..., Look]) -> None:
    look = deployed("iap", SLUICE_IAP_KEYS="file:///nonexistent")

    assert look(x_goog_iap_jwt_assertion=signed(claims())).status_code == 503


# ---- Cloud Run's own check


def checked(email: str = ANN, **changes: Any) -> str:
    """A token as Cloud Run passes it on."""
    payload = {"iss": "https://accounts.google.com", "email": email, "email_verified": True, **changes}
    return f"Bearer {forged({'alg': 'RS256', 'kid': 'g'}, payload)}SIGNATURE_REMOVED_BY_GOOGLE"


def test_the_viewer_is_the_account_that_cloud_run_checked(deployed: Callable[..., Look]) -> None:
    look = deployed("invoker")

    assert f">{ANN}</span>" in look(authorization=checked()).text
    assert f">{ANN}</span>" in look(x_serverless_authorization=checked()).text
    assert "eve@example.com · may look" in look(authorization=checked("eve@example.com")).text


@pytest.mark.parametrize("names", [(ANN, "eve@example.com"), ("eve@example.com", ANN), (ANN, ANN)])
def test_a_token_beside_the_checked_one_is_refused(deployed: Callable[..., Look], names: tuple[str, str]) -> None:
    """Cloud Run passes one of them on as the caller wrote it: the name in it may be any."""
    answer = deployed("invoker")(x_serverless_authorization=checked(names[0]), authorization=checked(names[1]))

    assert answer.status_code == 401
    assert ANN not in answer.text


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "Basic YW5uOg==",
        checked(email_verified=False),
        checked(email=""),
        checked()[7:],
    ],
)
def test_without_an_account_there_is_no_page(deployed: Callable[..., Look], authorization: str) -> None:
    look = deployed("invoker")

    assert look(authorization=authorization).status_code == 401
    assert look(authorization=checked(), x_serverless_authorization=authorization).status_code == 401


# ---- Settings that would let strangers in


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SLUICE_CONSOLE_ACCESS": "loopback", "K_SERVICE": "c"}, "SLUICE_CONSOLE_ACCESS is loopback, which asks for no name"),
        ({"SLUICE_CONSOLE_ACCESS": "invoker"}, "SLUICE_CONSOLE_ACCESS is invoker, which relies on Cloud Run's check"),
        ({"SLUICE_CONSOLE_ACCESS": "iap"}, "set SLUICE_IAP_AUDIENCE to /projects/"),
        ({"SLUICE_CONSOLE_ACCESS": "IAP", "SLUICE_IAP_AUDIENCE": AUDIENCE}, "SLUICE_CONSOLE_ACCESS is 'IAP'; set it to"),
        (
            {"SLUICE_IAP_KEYS": "https://keys.test", "K_SERVICE": "c", "SLUICE_CONSOLE_ACCESS": ""},
            "SLUICE_IAP_KEYS is not Google's",
        ),
        ({"SLUICE_OPERATORS": "group:ops@example.com"}, "groups are not possible here"),
        ({"SLUICE_OPERATORS": "ann"}, "write e-mail addresses"),
    ],
)
def test_a_setting_that_would_let_strangers_in_stops_the_start(variables: dict[str, str], message: str) -> None:
    with pytest.raises(BadConfiguration, match=message):
        configuration.load({**ENVIRONMENT, **variables})


def test_an_unset_way_is_no_way(cloud: FakeCloud) -> None:
    cloud.settings = configuration.load({**ENVIRONMENT, "SLUICE_CONSOLE_ACCESS": ""})

    with pytest.raises(Forbidden):
        Access(cloud.settings).viewer(post({"host": "127.0.0.1"}))
    with pytest.raises(BadConfiguration, match="set SLUICE_CONSOLE_ACCESS "):
        cloud.settings.require("console_access")


# ---- This computer


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "[", "", "localhost@evil.test", "169.254.169.254"])
def test_another_name_of_this_computer_is_refused(client: Load, host: str) -> None:
    answer = client("console").get("/", headers={"host": host})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:8088", "localhost:8088", "[::1]:8088"])
def test_this_computer_may_act(client: Load, host: str) -> None:
    assert client("console").get("/", headers={"host": host}).status_code == 200


def test_on_this_computer_no_header_makes_a_name(client: Load) -> None:
    answer = client("console").get("/", headers={"host": "127.0.0.1", "authorization": checked("eve@example.com")})

    assert "eve@example.com" not in answer.text


# ---- Actions


def post(headers: Mapping[str, str], kept: str = TOKEN, sent: str = TOKEN, way: str = "loopback") -> Request:
    given = {"cookie": f"{protection.cookie(way)}={kept}", **headers}
    return Request(EnvironBuilder("/", method="POST", data={"token": sent}, headers=Headers(given)).get_environ())


HOSTS = {"loopback": "127.0.0.1:8088", "iap": SITE, "invoker": SITE}
OWN = [
    ("loopback", "http://127.0.0.1:8088"),
    ("iap", f"https://{SITE}"),
    ("invoker", f"https://{SITE}"),
    ("invoker", "http://127.0.0.1:8080"),
    ("invoker", "http://localhost:8080"),
]


@pytest.mark.parametrize(("way", "origin"), OWN)
def test_an_action_of_our_own_page_passes(way: str, origin: str) -> None:
    request = post({"host": HOSTS[way], "origin": origin, "sec-fetch-site": "same-origin"}, way=way)

    protection.check_action(request, Viewer(ANN, True, TOKEN, way))


FOREIGN = [
    ("loopback", {"origin": "http://127.0.0.1:3000"}),
    ("loopback", {"origin": "http://evil.test"}),
    ("loopback", {"origin": "null"}),
    ("loopback", {"sec-fetch-site": "cross-site"}),
    ("loopback", {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8088"}),
    ("iap", {"origin": "https://evil.test"}),
    ("iap", {"origin": f"http://{SITE}"}),
    ("iap", {"origin": f"https://{SITE}.evil.test"}),
    ("iap", {"origin": "http://127.0.0.1:8080"}),
    ("iap", {}),
    ("invoker", {}),
    ("invoker", {"origin": "http://evil.test:8080"}),  # a name that leads to the proxy on the viewer's computer
    ("invoker", {"origin": "http://127.0.0.1.evil.test:8080"}),
    ("invoker", {"origin": "http://["}),
    ("invoker", {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"}),
]


@pytest.mark.parametrize(("way", "headers"), FOREIGN)
def test_an_action_of_another_site_is_refused_even_with_the_token(way: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="another site sent this action"):
        protection.check_action(post({"host": HOSTS[way], **headers}, way=way), Viewer(ANN, True, TOKEN, way))


@pytest.mark.parametrize(
    ("kept", "sent"),
    [(TOKEN, "u" * 22), (TOKEN, ""), ("", TOKEN), ("", ""), ("x", "x"), ("u" * 22, TOKEN)],
    ids=["another viewer's", "none", "no cookie", "neither", "no token of ours", "cookie of another"],
)
def test_an_action_without_the_token_of_its_viewer_is_refused(kept: str, sent: str) -> None:
    with pytest.raises(Forbidden, match="open it again"):
        protection.check_action(post({"host": "127.0.0.1"}, kept, sent), Viewer("", True, TOKEN))


def test_behind_https_a_cookie_that_another_host_may_set_does_not_count() -> None:
    tossed = post({"host": SITE, "origin": f"https://{SITE}"}, way="invoker")

    with pytest.raises(Forbidden, match="open it again"):
        protection.check_action(tossed, Viewer(ANN, True, TOKEN, "iap"))


def test_a_viewer_who_may_look_cannot_act() -> None:
    request = post({"host": SITE, "origin": f"https://{SITE}"}, way="iap")

    with pytest.raises(Forbidden, match="you may look, but not act"):
        protection.check_action(request, Viewer(ANN, False, TOKEN, "iap"))


def test_no_script_of_a_page_reads_the_cookie_and_no_other_site_sends_it(deployed: Callable[..., Look]) -> None:
    behind_https = deployed("iap")(x_goog_iap_jwt_assertion=signed(claims())).headers["set-cookie"]
    through_proxy = deployed("invoker")(authorization=checked()).headers["set-cookie"]

    assert behind_https.startswith("__Host-sluice-action=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(behind_https.split("; "))
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(through_proxy.split("; "))
    assert "Secure" not in through_proxy, "the browser speaks http with the proxy on the viewer's computer"


def test_a_browser_keeps_its_token_and_a_planted_one_is_replaced(client: Load) -> None:
    console = client("console")
    console.set_cookie("sluice-action", TOKEN)
    kept = console.get("/", headers={"host": "localhost"})
    console.set_cookie("sluice-action", "planted" * 4)
    planted = console.get("/", headers={"host": "localhost"})

    assert f'content="{TOKEN}"' in kept.text
    assert "planted" not in planted.headers["set-cookie"] + planted.text


def test_a_page_is_never_in_a_frame_or_in_a_cache(client: Load) -> None:
    headers = client("console").get("/", headers={"host": "localhost"}).headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-frame-options"], headers["cache-control"]) == ("DENY", "no-store")


@pytest.mark.parametrize("action", sorted(site.ACTIONS))
def test_each_action_leaves_the_name_of_its_viewer(
    deployed: Callable[..., Look], client: Load, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    deployed("invoker")
    console = client("console")
    console.set_cookie("sluice-action", TOKEN, domain=SITE)
    headers = {"host": SITE, "authorization": checked(), "origin": f"https://{SITE}", "x-action-token": TOKEN}
    console.post(f"/{action}", headers=headers)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(line["action"], line["viewer"]) for line in lines if line["message"] == "a viewer acts"] == [(action, ANN)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_never_acts(client: Load, method: str) -> None:
    console = client("console")
    statuses = {
        name: console.open(f"/{name}", method=method, headers={"host": "localhost"}).status_code for name in site.ACTIONS
    }

    assert {status for name, status in statuses.items() if name not in site.PAGES} <= {404}
