"""The steps a mention passes: collect, classify, triage, send. Each reads what the step before committed."""
