"""How far the record can be trusted: what is missing or waits, as gaps in words and a score."""

from typing import Any

NAME = "quality"


def assess(identity: Any, commerce: Any) -> dict[str, Any]:
    """Gaps of a customer's record, and the share of checks it passes, in percent."""
    identifiers = identity["identifiers"]
    checks = {
        "not_registered": identity["registered"],
        "no_name": identity["display_name"] is not None,
        "no_identifier": bool(identifiers),
        "no_verified_identifier": any(identifier["verified"] for identifier in identifiers),
        "no_unit": identity["unit"] is not None,
        "documents_waiting": not commerce["waiting"],
    }
    passed = sum(checks.values())
    return {
        "score": passed * 100 // len(checks),
        "gaps": sorted(name for name, passes in checks.items() if not passes),
    }
