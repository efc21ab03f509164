"""The page of topics and events tells of every one of them, and its links lead somewhere."""

import re

from rapport_shared.contract_documents import events_page, schemas
from rapport_shared.contract_documents.files import REPOSITORY
from rapport_shared.contracts.catalogue import EVENT_TYPES, TOPICS
from rapport_shared.contracts.touchpoints import KINDS

PAGE = REPOSITORY / events_page.PATH
TEXT = PAGE.read_text(encoding="utf-8")


def row(first: str) -> list[str]:
    lines = [line for line in TEXT.splitlines() if line.startswith(f"| `{first}` |")]
    assert len(lines) == 1, first
    return [cell.strip() for cell in lines[0].strip("|").split(" | ")]


def test_every_topic_event_and_kind_is_there_once() -> None:
    for topic in TOPICS:
        assert f"`{topic.name}`" in TEXT
    for event_type in EVENT_TYPES:
        assert row(event_type.wire)[1:3] == [event_type.when, event_type.key]
    for kind in KINDS:
        row(kind)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 2 * len(schemas.MODELS)
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_personal_fields_are_named() -> None:
    assert row("rapport.ticket.opened.v1")[-1] == (
        "`ticket.attributes`, `ticket.comments[].text`, `ticket.description`, `ticket.resolution`, `ticket.subject`"
    )
    assert row("rapport.interaction.recorded.v1")[-1].endswith("those of the kind in `touchpoint`")
    assert row("rapport.customer.merged.v1")[-1] == "none"
    assert "`data.birth_date`" in row("profile.reported")[-1]
