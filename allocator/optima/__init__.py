"""Exact solutions beside every scenario: the yardstick of its learners, and a test of itself."""
