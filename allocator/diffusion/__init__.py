"""Pictures are really drawn here: plans run as a prefix tree on a latent diffusion model."""
