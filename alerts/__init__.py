"""Who should look, how soon, and how they are told: priority, rules, routing, grouping, receivers."""
