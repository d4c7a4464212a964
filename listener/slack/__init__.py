"""The daemon's Slack app: what people press, choose, write and ask for, taken at once and worked on afterwards."""
