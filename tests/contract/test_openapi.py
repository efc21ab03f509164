"""The committed OpenAPI documents are what the services serve; the gateway's describes all that channels can send."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from deploy.contracts import FOLDER, all_documents, build_service
from rapport_gateway.api.document import add_schemas, owner_operations
from rapport_gateway.owners.routes import ROUTES
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.contract_documents.files import REPOSITORY, differences
from rapport_shared.contract_documents.schemas import schema_of
from rapport_shared.contracts.catalogue import CUSTOMER_VIEW_STATE, SERVICES
from rapport_shared.contracts.touchpoints import KINDS
from rapport_shared.contracts.view import SectionName

PROBLEM = {"$ref": "#/components/responses/Problem"}
HTTP_METHODS = {"get", "put", "post", "patch", "delete"}


def committed(name: str) -> Any:
    return json.loads((REPOSITORY / FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method in HTTP_METHODS & methods.keys():
            yield f"{method.upper()} {path}", methods[method]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for item in part:
            yield from references(item)


def test_what_is_committed_is_what_the_services_make() -> None:
    drift = differences(all_documents())
    assert not drift, f"run `make contracts`:\n{drift}"


def test_a_running_gateway_serves_the_committed_document() -> None:
    assert build_service("gateway").api.openapi() == committed("gateway")


@pytest.mark.parametrize("name", SERVICES)
def test_every_reference_leads_somewhere(name: str) -> None:
    document = committed(name)
    for reference in references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_has_a_summary_for_people_and_answers_problems(name: str) -> None:
    document = committed(name)
    for place, operation in operations(document):
        assert " " in operation["summary"], place
        assert operation["responses"]["default"] == PROBLEM, place
        assert operation["tags"], place
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", SERVICES)
def test_every_answer_of_every_status_has_a_schema(name: str) -> None:
    for place, operation in operations(committed(name)):
        for status, answer in operation["responses"].items():
            if answer == PROBLEM or (status, answer.get("content")) == ("304", None):
                continue
            assert answer["content"], f"{place} {status}"
            for kind, content in answer["content"].items():
                assert says_something(content.get("schema")), f"{place} {status} {kind}"


def says_something(schema: Any) -> bool:
    """Whether a schema says more than that there is an object, or anything."""
    return bool(schema) and not (schema.get("type") == "object" and "properties" not in schema)


def test_a_schema_that_says_nothing_is_found() -> None:
    assert not says_something({})
    assert not says_something({"type": "object", "additionalProperties": True, "title": "Response"})
    assert says_something({"$ref": "#/components/schemas/Ticket"})


def test_refusals_follow_from_what_a_request_has() -> None:
    answers = {place: set(operation["responses"]) for place, operation in operations(committed("gateway"))}
    assert answers["GET /v1/me"] == {"200", "401", "403", "422", "503", "default"}
    assert answers["GET /livez"] == {"200", "422", "default"}
    assert answers["GET /readyz"] == {"200", "422", "503", "default"}
    assert answers["GET /v1/customers/{customer_id}"] == {
        *("200", "304", "307", "401", "403", "404", "409", "422", "503", "default")
    }
    refused = {"400", "401", "403", "404", "409", "413", "422", "503", "default"}
    assert answers["POST /v1/touchpoints"] == {"200", "202", *refused}
    assert answers["PATCH /v1/tickets/{ticket}"] == {"200", "412", *refused}
    for place in answers:
        if place.startswith("GET /v1/customers/{customer_id}") and "record" not in place and "merges" not in place:
            assert "307" in answers[place] or "stream" in place, place


def test_a_header_that_a_route_reads_is_a_parameter() -> None:
    headers = {
        place: {one.get("name") for one in operation.get("parameters", ()) if one.get("in") == "header"}
        for place, operation in operations(committed("gateway"))
    }
    assert headers["GET /v1/customers/{customer_id}"] == {"If-None-Match"}
    assert headers["GET /v1/customers/{customer_id}/stream"] == {"Last-Event-ID"}
    assert headers["PATCH /v1/customers/{customer_id}/record"] == {"If-Match"}


def test_the_view_is_described_section_by_section_and_as_its_state_topic() -> None:
    schemas = committed("gateway")["components"]["schemas"]
    answered = schemas["CustomerView"]["properties"]
    published = schema_of(f"states/{CUSTOMER_VIEW_STATE.name}")["properties"]["sections"]["anyOf"][0]["anyOf"][0]
    assert set(get_args(SectionName)) == set(SECTIONS) == set(published["properties"])
    for name in SECTIONS:
        named = [one.replace("$defs", "components/schemas") for one in references(published["properties"][name])]
        assert list(references(answered[name])) == named, name
    assert set(answered) == {*SECTIONS, "customer_id", "version", "as_of", "lag_ms", "withheld", "pending"}


def test_a_touchpoint_has_an_id_or_the_request_a_key() -> None:
    document = committed("gateway")
    report = document["paths"]["/v1/touchpoints"]["post"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in report["parameters"]
    for name in (*document["components"]["schemas"]["Touchpoint"]["oneOf"][0]["discriminator"]["mapping"].values(),):
        schema = document["components"]["schemas"][name.rpartition("/")[2]]
        assert "id" in schema["properties"], name
        assert "id" not in schema["required"], name


def test_a_customer_is_called_customer_id_in_paths_and_queries() -> None:
    for place, operation in operations(committed("gateway")):
        for parameter in operation.get("parameters", ()):
            assert parameter.get("name") not in ("customer", "id"), place


def test_a_stream_says_what_its_events_are() -> None:
    document = committed("gateway")
    answer = document["paths"]["/v1/customers/{customer_id}/stream"]["get"]["responses"]["200"]
    assert list(answer["content"]) == ["text/event-stream"]
    assert answer["content"]["text/event-stream"]["schema"]["contentSchema"]["$ref"].endswith("/CustomerEvent")
    event = document["components"]["schemas"]["CustomerEvent"]
    assert set(event["discriminator"]["mapping"]) == {"snapshot", "delta", "moved", "ended"}


def test_scopes_are_told() -> None:
    told = dict(operations(committed("gateway")))
    assert told["POST /v1/touchpoints"]["x-scope"] == "touchpoints:write"
    assert told["GET /v1/me"]["security"] == [{"key": []}]
    assert "security" not in told["GET /problems/{code}"]


def test_a_report_is_a_union_of_all_kinds() -> None:
    document = committed("gateway")
    schemas = document["components"]["schemas"]
    body = document["paths"]["/v1/touchpoints"]["post"]["requestBody"]["content"]["application/json"]
    assert [branch["$ref"] for branch in body["schema"]["oneOf"]] == [
        "#/components/schemas/Touchpoint",
        "#/components/schemas/TouchpointBatch",
    ]
    built_in, own = schemas["Touchpoint"]["oneOf"]
    mapping = built_in["discriminator"]["mapping"]
    assert built_in["discriminator"]["propertyName"] == "kind"
    assert set(mapping) == KINDS
    for kind, reference in mapping.items():
        assert schemas[reference.rpartition("/")[2]]["properties"]["kind"]["const"] == kind
    assert own == {"$ref": "#/components/schemas/Custom"}
    assert set(body["examples"]) >= KINDS


def test_what_the_gateway_passes_on_is_described_as_the_owner_describes_it() -> None:
    gateway = committed("gateway")
    for passed in ROUTES:
        path = passed.path.replace(":path}", "}")
        here = gateway["paths"][path][passed.method.lower()]
        there = committed(passed.owner)["paths"][path][passed.method.lower()]
        for part in ("parameters", "requestBody"):
            assert here.get(part) == there.get(part), f"{passed.method} {path}"
        assert there["responses"].items() <= here["responses"].items(), f"{passed.method} {path}"
        assert all(here["responses"][status] == PROBLEM for status in here["responses"].keys() - there["responses"])
        assert here["x-scope"] == passed.scope == there["x-scope"]
    opened = gateway["paths"]["/v1/tickets"]["post"]
    assert opened["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewTicket"}
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in opened["parameters"]
    assert opened["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Ticket"
    }


POLICIES = ("matching", "fields", "value", "tier", "trigger", "segment", "playbook")
WITHOUT_BODY = {
    "/v1/customers/{customer_id}/relations/{type}/{to}",
    "/v1/merges/{merge_id}/undo",
    *(f"/v1/policies/{kind}/{{name}}/rollback" for kind in POLICIES),
}
"""Commands that their path says in full."""


def test_every_passed_on_route_says_what_it_answers() -> None:
    gateway = dict(operations(committed("gateway")))
    for passed in ROUTES:
        operation = gateway[f"{passed.method} {passed.path.replace(':path}', '}')}"]
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert all(answer["content"]["application/json"]["schema"] for answer in answers), passed.path
        assert answers, passed.path
        takes_body = passed.method in ("POST", "PUT", "PATCH") and passed.path not in WITHOUT_BODY
        assert ("requestBody" in operation) == takes_body, passed.path


def test_a_route_that_its_owner_lacks_is_found() -> None:
    documents: dict[str, Any] = {name: committed(name) for name in SERVICES}
    del documents["ticket"]["paths"]["/v1/tickets/{ticket}/resolve"]
    with pytest.raises(KeyError, match="resolve"):
        owner_operations(documents)


def test_two_schemas_of_one_name_are_refused() -> None:
    schemas = {"Line": {"type": "string"}}
    add_schemas(schemas, {"Line": {"type": "string"}, "Text": {"type": "string"}})
    with pytest.raises(ValueError, match="Line"):
        add_schemas(schemas, {"Line": {"type": "integer"}})
