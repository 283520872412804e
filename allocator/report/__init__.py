"""The report: one self-contained page with figures, tables and contact sheets."""
