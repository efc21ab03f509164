"""The routes that owners serve and the gateway passes on: a table."""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["customer", "interaction", "ticket", "scoring"]
Reach = Literal["any", "customer", "customers", "members", "units", "firm"]
"""What a caller of a unit gets.

`any`: what everybody gets, or what the owner itself limits. `customer`: a customer that it may know of. `customers`,
`members`: of such a list those that are its own and that it may know of. `units`: figures of units that are its own.
`firm`: nothing, for the answer is about everybody.
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """A route that an owner serves. `reach` says what the gateway sees to where a caller is limited to a unit.

    `named` is the schema of those parts of the answer to which the gateway adds the name of their customer.
    """

    method: str
    path: str
    owner: Owner
    scope: str
    summary: str
    reach: Reach = "any"
    named: str = ""


def _policies(owner: Owner, kind: str) -> tuple[Passed, ...]:
    """The routes of a kind of policy. Trying one tells of customers of the whole firm."""
    place = f"/v1/policies/{kind}/{{name}}"
    return (
        Passed("GET", place, owner, "policies:read", f"The {kind} policy in force."),
        Passed("PUT", place, owner, "policies:write", f"Add a version of a {kind} policy."),
        Passed("GET", f"{place}/versions", owner, "policies:read", f"Versions of a {kind} policy."),
        Passed("POST", f"{place}/validate", owner, "policies:read", f"Check a {kind} policy."),
        Passed("POST", f"{place}/simulate", owner, "policies:write", f"Try a {kind} policy on the past.", "firm"),
        Passed("POST", f"{place}/activate", owner, "policies:write", "Put a version in force."),
        Passed("POST", f"{place}/rollback", owner, "policies:write", "Put the former in force."),
    )


ROUTES = (
    Passed("POST", "/v1/customers", "customer", "customers:write", "Register a customer by hand."),
    Passed("GET", "/v1/customers/{customer_id}/record", "customer", "customers:read", "A profile's record."),
    Passed("PATCH", "/v1/customers/{customer_id}/record", "customer", "customers:write", "State fields by hand."),
    Passed("POST", "/v1/customers/{customer_id}/identifiers", "customer", "customers:write", "Add an identifier."),
    Passed(
        "DELETE",
        "/v1/customers/{customer_id}/identifiers/{key}",
        "customer",
        "customers:write",
        "Remove an identifier.",
    ),
    Passed("POST", "/v1/customers/{customer_id}/assets", "customer", "customers:write", "Record an asset."),
    Passed("PUT", "/v1/customers/{customer_id}/consents/{purpose}", "customer", "customers:write", "Record a consent."),
    Passed(
        "PUT", "/v1/customers/{customer_id}/owner", "customer", "customers:write", "Say who looks after a customer."
    ),
    Passed(
        "PUT",
        "/v1/customers/{customer_id}/relations/{type}/{to}",
        "customer",
        "customers:write",
        "State a relation by hand.",
    ),
    Passed(
        "DELETE",
        "/v1/customers/{customer_id}/relations/{type}/{to}",
        "customer",
        "customers:write",
        "End a relation by hand.",
    ),
    Passed("GET", "/v1/hand-overs/{hand_over_id}", "customer", "customers:write", "How far a hand-over is."),
    Passed("POST", "/v1/merges", "customer", "customers:merge", "Merge customers, or say what a merge would do."),
    Passed("POST", "/v1/merges/{merge_id}/undo", "customer", "customers:merge", "Undo a merge."),
    Passed("GET", "/v1/customers/{customer_id}/merges", "customer", "customers:read", "The merges of a customer."),
    Passed("GET", "/v1/merge-candidates", "customer", "customers:merge", "Customers that may be one, likeliest first."),
    Passed(
        "POST",
        "/v1/merge-candidates/{candidate_id}/decision",
        "customer",
        "customers:merge",
        "Decide on a merge candidate.",
    ),
    Passed("POST", "/v1/matches", "customer", "customers:read", "Whom records would meet, and why."),
    *_policies("customer", "matching"),
    *_policies("customer", "fields"),
    Passed("GET", "/v1/quality", "customer", "quality:read", "The quality of each source, now."),
    Passed("GET", "/v1/quality/trend", "customer", "quality:read", "The quality of a source, day by day."),
    Passed("GET", "/v1/units", "customer", "units:read", "Organisation units."),
    Passed("GET", "/v1/units/{path:path}", "customer", "units:read", "An organisation unit."),
    Passed("PUT", "/v1/units/{path:path}", "customer", "units:write", "Create or replace an organisation unit."),
    Passed(
        "POST",
        "/v1/touchpoints/{touchpoint_id}/retractions",
        "interaction",
        "interactions:write",
        "Retract a touchpoint reported in error.",
    ),
    Passed("GET", "/v1/interactions", "interaction", "interactions:read", "Anonymous interactions."),
    Passed(
        "POST",
        "/v1/interactions/{interaction_id}/attribute",
        "interaction",
        "interactions:write",
        "Attribute an interaction by hand.",
    ),
    Passed("GET", "/v1/quarantine", "interaction", "quarantine:read", "Touchpoints in quarantine."),
    Passed("POST", "/v1/quarantine/replay", "interaction", "quarantine:write", "Record what a rule finds there."),
    Passed("GET", "/v1/quarantine/{quarantine_id}", "interaction", "quarantine:read", "A quarantined touchpoint."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/fix", "interaction", "quarantine:write", "Record it, patched."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/replay", "interaction", "quarantine:write", "Record it as it is."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/dismiss", "interaction", "quarantine:write", "Dismiss it."),
    Passed(
        "GET",
        "/v1/customers/{customer_id}/value",
        "scoring",
        "values:read",
        "A customer's values on a day, as known at a moment, with the ledger lines that add up.",
        "customer",
    ),
    Passed("POST", "/v1/value/rankings", "scoring", "values:compute", "Value everybody at one instant.", "firm"),
    Passed("POST", "/v1/value/fits", "scoring", "values:compute", "Fit the forecast again.", "firm"),
    Passed("POST", "/v1/value/backtest", "scoring", "values:compute", "Try the forecast on the past.", "firm"),
    Passed("GET", "/v1/value/runs/{run_id}", "scoring", "values:read", "How far a computation is.", "firm"),
    Passed(
        "GET", "/v1/value/ranking", "scoring", "values:read", "Customers by value, best first.", "customers", "Ranked"
    ),
    Passed("GET", "/v1/value/parameters", "scoring", "values:read", "Versions of the forecast's parameters."),
    Passed("GET", "/v1/value/parameters/{version}", "scoring", "values:read", "A version of the parameters."),
    Passed("GET", "/v1/reports/customer-health", "scoring", "values:read", "How customers stay and buy.", "units"),
    Passed("GET", "/v1/reports/cohorts", "scoring", "values:read", "Customers by their first month.", "firm"),
    Passed("GET", "/v1/segments", "scoring", "segments:read", "The segments in force."),
    Passed(
        "GET", "/v1/segments/{name}/members", "scoring", "segments:read", "Who is in a segment.", "members", "Member"
    ),
    *_policies("scoring", "value"),
    *_policies("scoring", "tier"),
    *_policies("scoring", "trigger"),
    *_policies("scoring", "segment"),
    *_policies("ticket", "playbook"),
    Passed("POST", "/v1/tickets", "ticket", "tickets:write", "Open a ticket."),
    Passed("GET", "/v1/tickets", "ticket", "tickets:read", "Tickets, the latest opened first.", named="Ticket"),
    Passed("GET", "/v1/tickets/{ticket}", "ticket", "tickets:read", "A ticket.", named="Ticket"),
    Passed("PATCH", "/v1/tickets/{ticket}", "ticket", "tickets:write", "Edit a ticket."),
    Passed("POST", "/v1/tickets/{ticket}/comments", "ticket", "tickets:write", "Comment on a ticket."),
    Passed("POST", "/v1/tickets/{ticket}/transitions", "ticket", "tickets:write", "Move a ticket in its process."),
    Passed("POST", "/v1/tickets/{ticket}/resolve", "ticket", "tickets:write", "Resolve a ticket."),
)
