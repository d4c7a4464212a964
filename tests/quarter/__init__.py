"""A simulated quarter in a real store, and every figure of its digests calculated a second time with pandas."""
