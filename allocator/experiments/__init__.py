"""Holding learners against each other: who takes part, what they reach, and how sure that is."""
