"""The glossary defines every noun of the domain's class names, and no word that the product does not use."""

import ast
import json
import re
from collections.abc import Mapping, Set
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Final

import pytest

from rapport_shared.contract_documents.files import REPOSITORY
from rapport_shared.contracts.catalogue import TOPICS

GLOSSARY: Final = REPOSITORY / "docs" / "glossary.md"
DOMAIN: Final = (
    "services/*/src/*/domain/**/*.py",
    "services/gateway/src/rapport_gateway/view/**/*.py",
    "shared/rapport_shared/contracts/**/*.py",
)
SOURCES: Final = ("services/*/src/**/*.py", "shared/rapport_shared/**/*.py")
ROUTES: Final = "docs/openapi/*.json"

_GENERAL = """
    above absent age all any atom back below bin book cause change check choice circular class data error
    field former full incoming index invalid item kept kind lasting list listing losing many missing moment
    name normaliser not number of off on open outgoing over own page place present root rule sliding target
    too total type unknown unreadable unsound given held left made read ringing sent shown taken withdrawn
    written
"""
GENERAL: Final = frozenset(_GENERAL.split())
"""Words of programming and of grammar: class names use them in the sense of any dictionary."""

_TERM = re.compile(r"\*\*(.+?)\*\*")
_ROW = re.compile(r"^\| \*\*.*", re.MULTILINE)
_LINK_TARGET = re.compile(r"\(\S+\.md\S*\)")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def singular(word: str) -> str:
    """The singular of a word in lower case, which may be one already."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word if word.endswith(("ss", "us", "is", "sms")) else word.removesuffix("s")


def words(name: str) -> frozenset[str]:
    """The words of a name in CamelCase, snake_case or plain text, in the singular."""
    return frozenset(singular(word.lower()) for word in _CAMEL.findall(name))


def nouns(class_name: str) -> frozenset[str]:
    """The words of a class name but for the past tense of an event."""
    return frozenset(word for word in words(class_name) if not word.endswith("ed") or word.endswith("eed"))


def undefined(class_names: Set[str], defined: Set[str]) -> dict[str, set[str]]:
    """The nouns of class names that are not `defined`, each with the classes that it occurs in."""
    found: dict[str, set[str]] = {}
    for name in class_names:
        for noun in nouns(name) - defined:
            found.setdefault(noun, set()).add(name)
    return found


def unused(terms: Set[str], names: Set[str]) -> set[str]:
    """The terms of which a word occurs in none of the `names`."""
    known = frozenset(word for name in names for word in words(name))
    return {term for term in terms if not words(term) <= known}


def rows() -> list[str]:
    """The rows of the glossary's table."""
    return _ROW.findall(GLOSSARY.read_text(encoding="utf-8"))


def cells(row: str) -> tuple[str, str]:
    """The term and the definition of a row."""
    term, definition = row.strip("| ").split(" | ", 1)
    return term.strip(), definition.strip()


def circles(definitions: Mapping[str, str]) -> set[tuple[str, str]]:
    """The pairs of terms of which each is used in the definition of the other; a term may be a pair with itself."""
    used = {term: words(_LINK_TARGET.sub("", definition)) for term, definition in definitions.items()}
    return {
        (one, other)
        for one, other in combinations_with_replacement(sorted(used), 2)
        if words(one) <= used[other] and words(other) <= used[one]
    }


def terms() -> list[str]:
    """The terms that rows of the glossary define, in its order."""
    return [term for row in rows() for term in _TERM.findall(row.split("|")[1])]


@cache
def modules(patterns: tuple[str, ...]) -> Mapping[str, ast.Module]:
    """The modules that match `patterns`, by path."""
    paths = {path for pattern in patterns for path in REPOSITORY.glob(pattern)}
    return {str(path.relative_to(REPOSITORY)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def public(patterns: tuple[str, ...], kind: type[ast.ClassDef | ast.FunctionDef]) -> set[str]:
    """The public classes or functions of modules."""
    found = (node for module in modules(patterns).values() for node in module.body if isinstance(node, kind))
    return {node.name for node in found if not node.name.startswith("_")}


def fields(module: ast.Module) -> set[str]:
    """The annotated fields of a module's classes."""
    found = (node for each in ast.walk(module) if isinstance(each, ast.ClassDef) for node in each.body)
    return {node.target.id for node in found if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}


def paths(document: Path) -> set[str]:
    """The paths of an OpenAPI document."""
    return set(json.loads(document.read_text(encoding="utf-8"))["paths"])


def names_in_use() -> set[str]:
    """Modules, classes and their fields, functions of the domain, routes and topics."""
    found = {topic.name for topic in TOPICS} | public(SOURCES, ast.ClassDef) | public(DOMAIN, ast.FunctionDef)
    for path, module in modules(SOURCES).items():
        found |= {path, *fields(module)}
    return found | {path for document in REPOSITORY.glob(ROUTES) for path in paths(document)}


def test_every_noun_of_a_domain_class_is_in_the_glossary() -> None:
    defined = GENERAL | {word for term in terms() for word in words(term)}
    assert undefined(public(DOMAIN, ast.ClassDef), defined) == {}


def test_every_word_of_the_glossary_is_in_use() -> None:
    assert unused(frozenset(terms()), names_in_use()) == set()


def test_the_glossary_is_alphabetical_and_defines_each_term_once() -> None:
    found = [term.lower() for term in terms()]
    assert found == sorted(set(found))


def test_a_row_defines_one_term_in_one_sentence() -> None:
    for row in rows():
        term, definition = cells(row)
        assert len(_TERM.findall(term)) == 1, row
        assert definition, row
        assert ". " not in definition, row


def test_no_term_is_defined_by_itself_and_no_two_by_each_other() -> None:
    assert circles(dict(cells(row) for row in rows())) == set()


def test_every_general_word_is_in_use() -> None:
    assert frozenset(noun for name in public(DOMAIN, ast.ClassDef) for noun in nouns(name)) >= GENERAL


@pytest.mark.parametrize(
    ("class_names", "expected"),
    [
        ({"TicketOpened", "Tickets"}, {}),
        ({"Coupon"}, {"coupon": {"Coupon"}}),
        ({"MergeCandidateCategories"}, {"category": {"MergeCandidateCategories"}}),
        ({"SMSBounce"}, {"sms": {"SMSBounce"}, "bounce": {"SMSBounce"}}),
    ],
)
def test_a_noun_that_is_not_defined_is_found(class_names: set[str], expected: dict[str, set[str]]) -> None:
    assert undefined(class_names, {"ticket", "merge", "candidate"}) == expected


def test_a_term_that_nothing_uses_is_found() -> None:
    assert unused({"merge candidate", "merge coupon"}, {"/v1/merge-candidates/{candidate_id}"}) == {"merge coupon"}


def test_a_circle_is_found() -> None:
    definitions = {
        "ticket": "a numbered case",
        "case": "see **tickets**",
        "asset key": "what finds an asset by its key",
    }
    assert circles(definitions) == {("asset key", "asset key"), ("case", "ticket")}
