"""Profiles arrive one at a time and are joined to the best that they match: the matcher without a database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from random import Random
from time import thread_time

from rapport_customer.domain.matching import CAP, Features, Weights, blocking_keys, compare, train


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of a stream, in pairs of records. `found` are joined or for review; `seconds` of this thread's CPU."""

    people: Sequence[str]
    customers: Sequence[int]
    found: frozenset[tuple[int, int]]
    seconds: float

    @property
    def precision(self) -> float:
        """The share of the joined pairs that are one person; 1 where none was joined."""
        joined = _pairs(Counter(self.customers).values())
        return self._rightly_joined / joined if joined else 1.0

    @property
    def recall(self) -> float:
        """The share of the pairs of one person that are joined."""
        return self._rightly_joined / _pairs(Counter(self.people).values())

    @property
    def recall_with_review(self) -> float:
        """The share of the pairs of one person that are joined, or are candidates for review."""
        right = sum(pair in self.found or self._joined(pair) for pair in self._true_pairs())
        return right / _pairs(Counter(self.people).values())

    @property
    def microseconds(self) -> float:
        """CPU per arriving record: its keys, the index in memory, its comparisons."""
        return self.seconds / len(self.people) * 1e6

    @property
    def _rightly_joined(self) -> int:
        return _pairs(Counter(zip(self.people, self.customers, strict=True)).values())

    def _true_pairs(self) -> Iterator[tuple[int, int]]:
        of_person: dict[str, list[int]] = defaultdict(list)
        for position, person in enumerate(self.people):
            of_person[person].append(position)
        for positions in of_person.values():
            yield from combinations(positions, 2)

    def _joined(self, pair: tuple[int, int]) -> bool:
        return self.customers[pair[0]] == self.customers[pair[1]]


@dataclass(slots=True)
class Index:
    """Who is found under which blocking key."""

    blocks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, position: int, features: Features) -> set[int]:
        """Adds a profile; answers those before it that share a key which few have."""
        candidates: set[int] = set()
        for key in blocking_keys(features):
            block = self.blocks[key]
            if block and len(block) <= CAP:
                candidates.update(block)
            block.append(position)
        return candidates


def arrive(people: Sequence[str], profiles: Sequence[Features], weights: Weights, seed: int, learnt: int) -> Arrived:
    """Lets `profiles`, of the `people` at the same places, arrive in the order of `seed`.

    The weights are trained on the first `learnt` of them, without looking at whom they are of.
    """
    order = list(range(len(profiles)))
    Random(seed).shuffle(order)
    people, profiles = [people[place] for place in order], [profiles[place] for place in order]
    trained = train(weights, profiles[:learnt])
    index = Index()
    customers: list[int] = []
    found: list[tuple[int, int]] = []
    began = thread_time()
    for position, features in enumerate(profiles):
        best, into = trained.upper, position
        for candidate in index.add(position, features):
            compared = compare(trained, features, profiles[candidate])
            if compared.outcome == "review":
                found.append((candidate, position))
            elif compared.outcome == "join" and compared.weight >= best:
                best, into = compared.weight, customers[candidate]
        customers.append(into)
    return Arrived(people, customers, frozenset(found), thread_time() - began)


def _pairs(sizes: Iterable[int]) -> int:
    return sum(comb(size, 2) for size in sizes)
