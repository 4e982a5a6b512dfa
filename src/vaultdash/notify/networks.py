"""Which addresses are on the public internet, so that nobody makes this server knock at doors of its own network."""

import ipaddress
import socket

TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64, RFC 6052: an IPv4 address in the last 32 bits
LOCAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96",  # an IPv4 address in the last 32 bits, RFC 4291 2.5.5.1: given up, and some systems still go there
        "64:ff9b:1::/48",  # NAT64 within a network, RFC 8215
        "fec0::/10",  # site-local, RFC 3879
    )
)


def is_public(address: str) -> bool:
    """True for a global unicast address; an IPv6 address that carries an IPv4 one is judged by it."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if carried is None and ip in TRANSLATED:
            carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in LOCAL)


def addresses(host: str, port: int) -> list[str]:
    """What a host name stands for; raises OSError. Blocks: call it in a thread."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(where[0]) for *_, where in found})
