"""What to answer and how to move to a private channel: playbooks, their locales, rendering and linting."""
