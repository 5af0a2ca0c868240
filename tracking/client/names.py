"""Names for runs that were given none."""

from __future__ import annotations

import random

_HOW = (
    "amber brisk calm clear copper crisp early eager gentle golden green hollow humble ivory keen lively lucid "
    "mellow misty noble pale patient plain proud quick quiet rapid round rustic sharp silver slow smooth solid "
    "steady still sunny swift tidy warm"
).split()
_WHAT = (
    "badger beacon birch brook canyon cedar comet coral crane delta dune ember falcon fern fjord forest glacier "
    "harbor heron island juniper lagoon lantern maple marsh meadow otter pebble pine prairie quartz raven reef "
    "ridge river sparrow summit tundra valley willow"
).split()

# Not the user's random state: seeding a training must not give all its runs one name, nor be disturbed by us.
_random = random.SystemRandom()


def make_up_name() -> str:
    """Return a name that is easy to say, such as `quiet-heron-41`."""
    return _name_by(_random)


def name_for(run_id: str) -> str:
    """Return the name for a run of this id, the same in every process."""
    return _name_by(random.Random(run_id))


def _name_by(choice: random.Random) -> str:
    return f"{choice.choice(_HOW)}-{choice.choice(_WHAT)}-{choice.randrange(10, 100)}"
