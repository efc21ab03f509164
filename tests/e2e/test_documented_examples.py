"""What the documentation shows works: its examples are run, page by page, against five real services."""

import httpx
import pytest

from deploy.local.infrastructure import CHECKOUT
from deploy.local.stack import Stack
from tests.support.documented import NOT_RUN, Block, Reader, blocks, compare

GENERATED = CHECKOUT / "docs" / "events.md"
PAGES = (
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted(path for path in (CHECKOUT / "docs").rglob("*.md") if path != GENERATED),
    *sorted((CHECKOUT / "services").glob("*/README.md")),
)
BLOCKS = {str(page.relative_to(CHECKOUT)): blocks(page, CHECKOUT) for page in PAGES}
SHOWN_ONLY = {
    "README.md": [
        "make run     # Kafka, PostgreSQL, five services and a demo; prints a key and a curl that shows a customer"
    ],
    "CONTRIBUTING.md": [".venv/bin/pytest tests/e2e/test_one_view.py"],
    "docs/operators.md": [
        "cp .env.example .env           # and fill it in",
        "docker compose exec customer rapport doctor",
        "docker compose --file compose.yaml --file prometheus/compose.yaml up --build --wait",
        "rapport dead-letters show customer/17",
        "docker compose exec customer rapport resume touches --yes",
    ],
    "docs/runbook.md": ["rapport doctor", "rapport dead-letters list"],
}
"""What a test cannot run, by page and first line: it needs a stack of its own, or Docker."""


@pytest.mark.parametrize("page", [page for page, found in BLOCKS.items() if any(block.is_run for block in found)])
async def test_the_examples_of_a_page_work_in_their_order(page: str, stack: Stack) -> None:
    variables = {"GATEWAY": stack.gateway, "KEY": stack.key, "KAFKA": stack.infrastructure.kafka}
    environment = {
        "RAPPORT_ENVIRONMENT": "local",
        "RAPPORT_KAFKA": stack.infrastructure.kafka,
        "RAPPORT_DATABASE": stack.addresses.databases["gateway"],
    }
    async with httpx.AsyncClient(timeout=40, trust_env=False) as client:
        reader = Reader(client, variables, environment)
        for block in BLOCKS[page]:
            if block.is_run:
                await reader.follow(block)


def test_what_is_not_run_is_listed_here() -> None:
    marked = {
        page: [block.text.splitlines()[0] for block in found if NOT_RUN in block.info.split()]
        for page, found in BLOCKS.items()
    }
    assert {page: lines for page, lines in marked.items() if lines} == SHOWN_ONLY


@pytest.mark.parametrize(
    ("answered", "shown"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": "…"}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": [1]}, {"a": [1, 2, "…"]}),
        ({"a": {"b": None}}, {"a": {"b": False}}),
    ],
)
def test_an_answer_that_is_another_is_found(answered: object, shown: object) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:7"):
        compare(Block("page.md", 7, "json answer", ""), answered, shown, "")
