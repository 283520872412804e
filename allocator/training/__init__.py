"""Training one learner, so that it can be interrupted anywhere; many of them side by side."""
