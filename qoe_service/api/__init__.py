"""The HTTP face of the service. HTTP only: what judges is in `qoe_service.scoring`."""
