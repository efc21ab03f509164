"""Only the gateway sets what it adds to a touchpoint: whatever else somebody writes is a connector's."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts.catalogue import GATEWAY_SOURCE
from rapport_shared.intake_headers import NOT_VETTED, Vetting, read_vetting, signed_headers

SECRET = b"s" * 32
BODY = b'{"kind": "call.ended"}'
TYPES = st.frozensets(st.sampled_from(["phone", "email", "card", "social"]))
REGIONS = st.one_of(st.none(), st.sampled_from(["CN", "DE", "US"]))


def sent(may_verify: frozenset[str], region: str | None, secret: bytes = SECRET) -> dict[str, str]:
    added = {name: value.decode() for name, value in signed_headers(secret, "id-1", BODY, may_verify, region)}
    return {"ce_id": "id-1", "ce_source": GATEWAY_SOURCE} | added


@given(TYPES, REGIONS)
def test_what_the_gateway_added_is_read(may_verify: frozenset[str], region: str | None) -> None:
    assert read_vetting(SECRET, sent(may_verify, region), BODY) == Vetting(True, may_verify, region)


@given(TYPES, REGIONS, st.data())
def test_whatever_is_changed_leaves_nothing_vetted(
    may_verify: frozenset[str], region: str | None, data: st.DataObject
) -> None:
    headers: dict[str, Any] = sent(may_verify, region)
    name = data.draw(st.sampled_from(["ce_id", "rapport_mayverify", "rapport_region", "rapport_signature"]))
    other = data.draw(st.text(max_size=20).filter(lambda text: text != headers.get(name, "")))
    assert read_vetting(SECRET, headers | {name: other}, BODY) == NOT_VETTED


def test_headers_of_another_body_another_secret_or_none_are_not_vetted() -> None:
    headers = sent(frozenset({"phone"}), "CN")
    assert read_vetting(SECRET, headers, b"{}") == NOT_VETTED
    assert read_vetting(SECRET, headers, None) == NOT_VETTED
    assert read_vetting(SECRET, sent(frozenset({"phone"}), "CN", b"t" * 32), BODY) == NOT_VETTED
    assert read_vetting(SECRET, headers | {"ce_source": "/connectors/erp"}, BODY) == NOT_VETTED
    unsigned = {name: value for name, value in headers.items() if name != "rapport_signature"}
    assert read_vetting(SECRET, unsigned, BODY) == NOT_VETTED
