"""Gymnasium environments of an AIGC edge, one scenario a paper, each with its own optimum."""
