"""Connectors to networks and export formats: each turns its network's answers into mentions."""
