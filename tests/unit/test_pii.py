"""Personal fields: plain on the wire, marked in the schema, erasable."""

import copy
import pickle
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from rapport_shared.contracts.pii import ERASED, REFUSE_ERASED, Erased, Pii, is_erased, personal_fields


class Inner(BaseModel):
    value: Pii[Annotated[str, StringConstraints(max_length=5, pattern="^[a-z]+$")]]
    plain: str = ""
    again: "Inner | None" = None


class Outer(BaseModel):
    name: Pii[str] | None = None
    born: Pii[date] | None = None
    anything: Pii[Any] = None
    inner: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = Field(default_factory=dict)
    sections: Pii[dict[str, Any]] = Field(default_factory=dict)
    renamed: Pii[str] = Field(default="", alias="return")


def test_a_personal_value_is_plain_on_the_wire() -> None:
    outer = Outer(name="王小明", born=date(1985, 3, 1), inner=(Inner(value="ab"),))
    assert outer.model_dump(mode="json", exclude_defaults=True) == {
        "name": "王小明",
        "born": "1985-03-01",
        "inner": [{"value": "ab"}],
    }
    assert Outer.model_validate_json(outer.model_dump_json(by_alias=True)) == outer


def test_an_erased_value_goes_out_and_comes_back() -> None:
    outer = Outer(name=ERASED, anything=ERASED, inner=(Inner(value=ERASED),), sections=ERASED)
    assert outer.model_dump(exclude_defaults=True)["name"] == {"erased": True}
    back = Outer.model_validate_json(outer.model_dump_json(by_alias=True))
    assert back == outer
    assert is_erased(back.name)
    assert is_erased(back.inner[0].value)
    assert is_erased(back.sections)


@pytest.mark.parametrize("value", [{"erased": False}, {"erased": 1}, {"erased": True, "x": 1}, {}, "erased"])
def test_nothing_else_is_erased(value: Any) -> None:
    assert not is_erased(Outer(anything=value).anything)


def test_erased_is_one_instance() -> None:
    assert Erased() is ERASED
    assert pickle.loads(pickle.dumps(ERASED)) is ERASED
    assert copy.deepcopy(ERASED) is ERASED
    assert repr(ERASED) == "ERASED"


def test_what_comes_from_outside_cannot_be_erased() -> None:
    with pytest.raises(ValidationError, match="only Rapport"):
        Outer.model_validate({"name": {"erased": True}}, context=REFUSE_ERASED)


def test_constraints_are_checked_but_not_published() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": [{"value": "toolong"}]})
    assert caught.value.errors()[0]["loc"] == ("inner", 0, "value")
    for mode in ("validation", "serialization"):
        schema = Outer.model_json_schema(mode=mode)
        value = schema["$defs"]["Inner"]["properties"]["value"]
        assert {name: part for name, part in value.items() if name != "title"} == {
            "type": "string",
            "x-personal": True,
        }
        assert {"type": "string", "x-personal": True} in schema["properties"]["born"]["anyOf"]
        assert "x-personal" not in schema["$defs"]["Inner"]["properties"]["plain"]


def test_paths_of_personal_fields() -> None:
    assert personal_fields(Outer) == [
        "anything",
        "born",
        "by_name{}.value",
        "inner[].value",
        "name",
        "return",
        "sections",
    ]
