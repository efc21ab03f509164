"""What to say of a name that is not known: the nearest that is."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_ALIKE: Final = 0.6
_LISTED: Final = 12
"""Where nothing is near, so many known names are listed."""


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence for whoever used `name`: the nearest of the `known` names, or all of them where they are few."""
    names = sorted(known)
    near = get_close_matches(name[:100], names, n=1, cutoff=_ALIKE)
    if near:
        return f"There is no such {what}; the nearest is `{near[0]}`."
    if names and len(names) <= _LISTED:
        return f"There is no such {what}; there are {', '.join(f'`{one}`' for one in names)}."
    return f"There is no such {what}."
