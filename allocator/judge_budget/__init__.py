"""Learning under a hard budget of judge calls: a surrogate, and what is worth asking."""
