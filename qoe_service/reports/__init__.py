"""Reports of mean opinions: what ITU-T P.800.2 wants told with them, and where they come from.

ratings -> report (what can be said, and what cannot and why) -> page (with figures)
"""
