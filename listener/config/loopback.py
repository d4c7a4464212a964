"""Tells whether a host is this very machine, where nothing passes a network."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Tell whether `host`, a name or an address, is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
