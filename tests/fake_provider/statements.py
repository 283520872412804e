"""The hidden rule for statements about oneself: how accurate each is for the person of a text.

    liking = 2.6 * key * level(trait)                  honest: what the person is told to be
           + 0.4 * wording(statement)                  some statements are easier to say than others
           + 0.5 * wording(person and statement)       nobody is all of one piece
    answer = 1 + 4 / (1 + exp(-liking))

Whoever ignores the person has the middle line only. Whoever wants to look good says what is good to
say, the more so the more pleasant the person is, and the opposite of what is not.

The keys are written down here a second time, from the published ones: a client whose own are wrong
is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tests.fake_provider.traits import traits_of

KEYS = """
openness + have a rich vocabulary
openness - have difficulty understanding abstract ideas
openness + have a vivid imagination
openness - am not interested in abstract ideas
openness + have excellent ideas
openness - do not have a good imagination
openness + am quick to understand things
openness + use difficult words
openness + spend time reflecting on things
openness + am full of ideas
conscientiousness + am always prepared
conscientiousness - leave my belongings around
conscientiousness + pay attention to details
conscientiousness - make a mess of things
conscientiousness + get chores done right away
conscientiousness - often forget to put things back in their proper place
conscientiousness + like order
conscientiousness - shirk my duties
conscientiousness + follow a schedule
conscientiousness + am exacting in my work
extraversion + am the life of the party
extraversion - don't talk a lot
extraversion + feel comfortable around people
extraversion - keep in the background
extraversion + start conversations
extraversion - have little to say
extraversion + talk to a lot of different people at parties
extraversion - don't like to draw attention to myself
extraversion + don't mind being the center of attention
extraversion - am quiet around strangers
agreeableness - feel little concern for others
agreeableness + am interested in people
agreeableness - insult people
agreeableness + sympathize with others' feelings
agreeableness - am not interested in other people's problems
agreeableness + have a soft heart
agreeableness - am not really interested in others
agreeableness + take time out for others
agreeableness + feel others' emotions
agreeableness + make people feel at ease
neuroticism + get stressed out easily
neuroticism - am relaxed most of the time
neuroticism + worry about things
neuroticism - seldom feel blue
neuroticism + am easily disturbed
neuroticism + get upset easily
neuroticism + change my mood a lot
neuroticism + have frequent mood swings
neuroticism + get irritated easily
neuroticism + often feel blue
"""


@dataclass(frozen=True)
class Key:
    """What agreeing with a statement says: more (1) or less (-1) of a trait."""

    trait: str
    sign: int

    @property
    def desirable(self) -> int:
        """Whether it is good to say it of oneself."""
        return -self.sign if self.trait == "neuroticism" else self.sign


@cache
def keys() -> dict[str, Key]:
    """By the statement's words."""
    rows = (line.split(" ", 2) for line in KEYS.strip().splitlines())
    return {text: Key(trait, 1 if sign == "+" else -1) for trait, sign, text in rows}


def key_of(statement: str) -> Key | None:
    """The key of a statement, if it is known."""
    return keys().get(statement.strip().rstrip(".").lower())


def leaning(statement: str, persona_text: str) -> float:
    """How much of what a statement says the person is told to be, from -1 to 1."""
    key = key_of(statement)
    return 0.0 if key is None else key.sign * traits_of(persona_text)[key.trait]
