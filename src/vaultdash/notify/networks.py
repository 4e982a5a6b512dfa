"""Which addresses are on the public internet, so that nobody makes this server knock at doors of its own network."""

import ipaddress
import socket

TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64, RFC 6052: an IPv4 address in the last 32 bits


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
    return ip.is_global and not ip.is_multicast


def addresses(host: str, port: int) -> list[str]:
    """What a host name stands for; raises OSError. Blocks: call it in a thread."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(where[0]) for *_, where in found})
