"""The weekly digest: what was said, where it hurts and why, how well it was answered, what changed, what to do."""
