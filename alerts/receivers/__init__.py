"""Where notifications go: one module per kind of receiver."""
