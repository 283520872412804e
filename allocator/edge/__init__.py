"""The wireless edge: what steps cost on devices and what bits cost over the air."""
