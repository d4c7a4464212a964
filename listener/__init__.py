"""The listening daemon: hears complaints across networks and countries, and gets people to answer."""

__version__ = "0.1.0"
