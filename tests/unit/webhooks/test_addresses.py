"""Which addresses a webhook may have: those of hosts on the public internet, every one of its name."""

import threading
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from shared import origins
from shared.webhooks import addresses
from shared.webhooks.addresses import Refused, checked, is_public

PUBLIC = ["8.8.8.8", "1.1.1.1", "203.0.112.1", "172.32.0.1", "100.128.0.1", "169.253.0.1", "192.0.1.1", "198.20.0.1"]
PUBLIC_6 = ["2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:200::1"]
NOT_PUBLIC = {
    "this network": ["0.0.0.0", "0.1.2.3"],
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.255.0.1", "::1"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0"],
    "metadata": ["169.254.169.254", "fd20:ce::254"],
    "protocols": ["192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.171", "2001:1::1", "2001:20::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "relays": ["192.88.99.1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1", "5f00::1"],
    "unspecified": ["::"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1"],
    "nat64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1"],
    "6to4": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::"],
    "teredo": ["2001:0:4136:e378::1", "2001::1"],
    "discard": ["100::1"],
    "unique local": ["fc00::1", "fd00::1"],
    "site-local": ["fec0::1"],
}
HTTPS = origins.of("https://orders.test:8443/sluice")


def at(*found: str) -> addresses.Resolve:
    return lambda _host, _port: found


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_6])
def test_a_public_address_is_taken(address: str) -> None:
    assert is_public(ip_address(address))
    assert checked(HTTPS, 5, loopback=False, resolve=at(address)) == address


@pytest.mark.parametrize(
    "address", [pytest.param(one, id=f"{kind} {one}") for kind, found in NOT_PUBLIC.items() for one in found]
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Refused, match=r"^orders\.test (has the address|is this computer) "):
        checked(HTTPS, 5, loopback=False, resolve=at(address))


@pytest.mark.parametrize("found", [("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8"), ("2606:4700::1111", "127.0.0.1")])
def test_each_address_of_a_name_is_checked(found: Sequence[str]) -> None:
    with pytest.raises(Refused):
        checked(HTTPS, 5, loopback=False, resolve=at(*found))


def test_an_address_of_ipv4_is_preferred() -> None:
    assert checked(HTTPS, 5, loopback=False, resolve=at("2606:4700::1111", "1.1.1.1")) == "1.1.1.1"


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1"])
def test_another_way_to_write_an_address_is_no_way_around(host: str) -> None:
    with pytest.raises(Refused, match="is this computer"):
        checked(origins.of(f"https://{host}/"), 5, loopback=False)


def test_this_computer_is_allowed_by_the_setting_also_by_http() -> None:
    for url in ("http://127.0.0.1:9/", "https://localhost/"):
        assert checked(origins.of(url), 5, loopback=True, resolve=at("127.0.0.1")) == "127.0.0.1"


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_the_setting_allows_no_other_address(address: str) -> None:
    with pytest.raises(Refused, match="which is not public"):
        checked(HTTPS, 5, loopback=True, resolve=at(address))


def test_http_leaves_this_computer_never() -> None:
    with pytest.raises(Refused, match=r"^http://localhost:9 is not https; http is for this computer only$"):
        checked(origins.of("http://localhost:9/"), 5, loopback=True, resolve=at("8.8.8.8"))


def test_a_name_without_an_address_is_an_outage() -> None:
    with pytest.raises(OSError, match="the name has no address"):
        checked(HTTPS, 5, loopback=False, resolve=at())


def test_a_resolver_that_fails_is_an_outage() -> None:
    def fail(_host: str, _port: int) -> Sequence[str]:
        raise OSError("the resolver is away")

    with pytest.raises(OSError, match="the resolver is away"):
        checked(HTTPS, 5, loopback=False, resolve=fail)


def test_a_label_that_is_too_long_is_an_outage() -> None:
    with pytest.raises(OSError, match=r"the name cannot be resolved|not known"):
        checked(origins.of(f"https://{'a' * 64}.test/"), 5, loopback=False)


def test_a_resolver_that_does_not_answer_is_waited_for_no_longer_than_the_deadline() -> None:
    ended = threading.Event()

    def wait(_host: str, _port: int) -> Sequence[str]:
        ended.wait(20)
        return ["8.8.8.8"]

    with pytest.raises(TimeoutError, match="was not resolved in time"):
        checked(HTTPS, 0.05, loopback=False, resolve=wait)
    ended.set()


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(Refused, match="what is no address"):
        checked(HTTPS, 5, loopback=False, resolve=at("orders.test"))
