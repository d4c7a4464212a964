"""Everything that is drawn in Slack, and the names under which presses come back."""
