"""What studies of people report, which a panel of personas is held against."""

from __future__ import annotations

PERSONA_BAND = (0.05, 0.14)
"""Share of the variance of ratings that persons account for: personality and culture explain 5.6 %
of positive and 13.6 % of negative affect, 9.3 % of enjoyment (Scott, Guntuku, Lin, Ghinea 2016)."""

PEOPLE_SOS = (0.01, 0.22)
"""The SOS parameters of picture and video tests, as Hossfeld, Schatz, Egger 2011 is cited for. Read
in secondary sources only (grade S): the original was not at hand."""
