"""Where the tests' Kafka and PostgreSQL come from: containers only when asked for, and never beside another wish."""

import pytest
from docker.utils import convert_port_bindings
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.errors import LocalStackError
from tests.support.containers import VARIABLE, infrastructure_in_containers, published, wants_containers

OTHERS = ("RAPPORT_KAFKA", "RAPPORT_POSTGRES", "RAPPORT_INFRASTRUCTURE")


@given(st.dictionaries(st.sampled_from(OTHERS), st.text(max_size=3)), st.sampled_from([None, "0"]))
def test_without_the_wish_there_are_no_containers(others: dict[str, str], wish: str | None) -> None:
    assert not wants_containers({**others, **({} if wish is None else {VARIABLE: wish})})


@given(st.dictionaries(st.sampled_from(OTHERS), st.text(max_size=3)))
def test_the_wish_counts_alone(others: dict[str, str]) -> None:
    environment = {**others, VARIABLE: "1"}
    if any(others.values()):
        with pytest.raises(LocalStackError, match="contradict"):
            wants_containers(environment)
    else:
        assert wants_containers(environment)


@pytest.mark.parametrize("wish", ["", "yes", "2"])
def test_a_wish_that_is_not_understood_is_refused(wish: str) -> None:
    with pytest.raises(LocalStackError, match="must be 0 or 1"):
        wants_containers({VARIABLE: wish})


async def test_the_wish_fails_where_no_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(LocalStackError, match="no Docker engine"):
        async with infrastructure_in_containers():
            pass


def test_a_container_is_reached_from_this_machine_alone() -> None:
    bindings = convert_port_bindings(published(9092, 20_001))
    assert bindings == {"9092/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}]}
