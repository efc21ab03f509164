"""The pages name all that there is, their links lead somewhere, and the five services are described alike."""

import re
from pathlib import Path

import pytest

from deploy.contracts import build_service
from deploy.local.infrastructure import CHECKOUT
from rapport_shared.callers import SCOPES
from rapport_shared.contracts.catalogue import SERVICES, Service
from rapport_shared.errors import INTERNAL, METHOD_NOT_ALLOWED, PROBLEM_TYPES
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import Metrics

DOCS = CHECKOUT / "docs"
PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((CHECKOUT / "services").glob("*/README.md")),
]
HEADINGS = ["Owns", "Publishes", "Consumes", "API", "Settings"]
OPERATORS = (DOCS / "operators.md").read_text(encoding="utf-8")
CHANNELS = (DOCS / "channel-developers.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_module_that_is_named_is_there(page: Path) -> None:
    roots = [page.parent, CHECKOUT, CHECKOUT / "shared", *CHECKOUT.glob("services/*/src"), *page.parent.glob("src/*")]
    for name in re.findall(r"`([\w./]+/[\w/]*\w\.py)`", page.read_text(encoding="utf-8")):
        assert any((root / name).is_file() for root in roots), f"{page.name} names {name}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_described_under_the_same_headings(service: str) -> None:
    text = (CHECKOUT / "services" / service / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {service}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_named_for_operators_and_by_its_service(service: Service) -> None:
    page = (CHECKOUT / "services" / service / "README.md").read_text(encoding="utf-8")
    for name in type(build_service(service).settings).model_fields:
        variable = f"`RAPPORT_{name.upper()}`"
        assert variable in OPERATORS, f"docs/operators.md lacks {variable}"
        if name not in ServiceSettings.model_fields:
            assert variable in page, f"services/{service}/README.md lacks {variable}"


def test_every_metric_is_named_for_operators() -> None:
    samples = re.findall(r"^# TYPE (\w+) (\w+)$", Metrics().exposition().decode(), re.MULTILINE)
    created = {name for name, _ in samples if name.endswith("_created")}
    for name in {name for name, _ in samples} - created:
        assert f"`{name}`" in OPERATORS, f"docs/operators.md lacks {name}"


def test_every_scope_and_every_problem_is_named_for_channel_developers() -> None:
    for name in SCOPES:
        assert f"`{name}`" in CHANNELS, f"docs/channel-developers.md lacks the scope {name}"
    for problem in PROBLEM_TYPES.values():
        if problem not in (INTERNAL, METHOD_NOT_ALLOWED):
            line = rf"^\| [^|]*{problem.status}[^|]*\|[^|]*`{problem.code}`"
            assert re.search(line, CHANNELS, re.MULTILINE), f"docs/channel-developers.md lacks {problem.code}"


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        if DOCS in page.parents and page.name != "README.md":
            assert f"]({page.relative_to(DOCS)})" in index, f"docs/README.md lacks {page.name}"
