"""How fast, how small and how faithful the classifier is: ratios within one run, beside absolute figures."""
