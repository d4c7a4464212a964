"""Why a post became an alert, or did not: every step, from the watch to the message."""

from listener.explaining.explainer import explain
from listener.explaining.lines import lines
from listener.explaining.model import Explanation, Fact, Step, as_data, as_json
from listener.explaining.references import UnknownReferenceError
from listener.sentences import Sentence

__all__ = ["Explanation", "Fact", "Sentence", "Step", "UnknownReferenceError", "as_data", "as_json", "explain", "lines"]
