"""Trains the heads again from the labelled data: data, fitting, measures, card. Not needed to run the daemon."""
