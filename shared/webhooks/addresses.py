"""The address of a receiver: resolved once, and refused unless every address of its name is public.

The notifier stands in a network with a metadata server and internal services. No name may lead it there: neither at first, nor by
another answer later, as the connection goes to the address that was checked. Sources: IANA's registries of special-purpose
addresses; RFC 6890, 6598, 6052, 3056.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from shared.origins import Origin

#: Name and port → addresses. Raises `OSError`.
Resolve = Callable[[str, int], Sequence[str]]
Ip = IPv4Address | IPv6Address

#: What `ipaddress` takes for public: 6to4 relays, and the addresses of IETF protocols.
_NOT_PUBLIC_4 = tuple(map(IPv4Network, ("192.88.99.0/24", "192.0.0.0/24")))
#: The only public addresses of IPv6 so far, and those among them that carry others or lead nowhere: Teredo and other protocols,
#: 6to4, documentation. Outside are IPv4-mapped addresses, NAT64, unique local and link-local ones.
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20")))


class Refused(Exception):
    """This receiver may not be called. The message is for operators."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def checked(origin: Origin, seconds: float, *, loopback: bool, resolve: Resolve = resolve) -> str:
    """The address to connect to. `loopback` also allows this computer, where http is allowed too.

    Raises `Refused`, and `OSError` when the name is not resolved within these seconds.
    """
    found = [_parsed(text) for text in _within(seconds, lambda: resolve(origin.host, origin.port))]
    if not found:
        raise OSError("the name has no address")
    for ip in found:
        if not (is_public(ip) and origin.scheme == "https") and not (loopback and ip.is_loopback):
            raise Refused(_refusal(ip, origin))
    return str(min(found, key=lambda ip: ip.version))  # IPv6 is not everywhere


def is_public(ip: Ip) -> bool:
    """Whether this is an address of one host on the public internet."""
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    return ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)


def _refusal(ip: Ip, origin: Origin) -> str:
    if ip.is_loopback:
        return f"{origin.host} is this computer ({ip}); SLUICE_WEBHOOK_LOOPBACK=1 allows that, but not on Cloud Run"
    if is_public(ip):
        return f"{origin} is not https; http is for this computer only"
    return f"{origin.host} has the address {ip}, which is not public; name a host with public addresses only"


def _parsed(text: str) -> Ip:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        raise Refused("the resolver answered what is no address") from None


def _within(seconds: float, work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The system's resolver has no deadline of its own: a thread that waits longer is left behind, and ends with it."""
    answers: list[Sequence[str] | OSError] = []

    def resolved() -> None:
        try:
            answers.append(work())
        except (OSError, UnicodeError) as error:  # a label of more than 63 characters
            answers.append(error if isinstance(error, OSError) else OSError("the name cannot be resolved"))

    thread = threading.Thread(target=resolved, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answers:
        raise TimeoutError("the name was not resolved in time")
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]
