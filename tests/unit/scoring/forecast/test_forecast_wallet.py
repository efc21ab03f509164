"""Model value: unknown is never nothing, and nothing has its reason."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from rapport_scoring.domain.facts import WalletStatement
from rapport_scoring.domain.forecast import OwnSales, PeerWallets, Reason, WinRate, model_value, standing_statements
from rapport_scoring.domain.forecast.wallet import peer_wallets

TODAY = date(2026, 6, 1)
OWN = OwnSales(100_000, 2, "CNY")
RATE = WinRate(2, 8)


def statement(
    amount: int, category: str = "steel", *, since: int = 100, until: int | None = None, **changes: object
) -> WalletStatement:
    fields: dict[str, object] = {
        "event_id": UUID(int=1),
        "profile_id": UUID(int=2),
        "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
        "category": category,
        "from_day": TODAY - timedelta(since),
        "until": None if until is None else TODAY + timedelta(until),
        "amount": amount,
        "currency": "CNY",
        "basis": "declared",
        "single_source": False,
    }
    return WalletStatement(**{**fields, **changes})  # type: ignore[arg-type]


def test_of_each_category_the_newest_in_force_stands() -> None:
    old, new = statement(1, since=50), statement(2, since=10)
    ended, coming = statement(3, until=-1, since=5), statement(4, since=-1)
    other = statement(5, "copper", until=0)
    assert standing_statements([coming, new, other, ended, old], TODAY) == (other, new)


def test_wallets_of_categories_add_up() -> None:
    standing = [statement(150_000), statement(50_000, "copper", basis="estimated")]
    found = model_value(standing, OWN, None, RATE, 0.1, 20.0)
    assert found.value == pytest.approx(100_000 / 2 * 0.2 * 0.1 * 20)
    assert found.wallet is not None
    assert (found.wallet.amount, found.wallet.basis) == (200_000, "estimated")


@pytest.mark.parametrize(
    ("standing", "own", "reason"),
    [
        ([], OWN, Reason.WALLET_UNKNOWN),
        ([statement(1, currency="EUR")], OWN, Reason.WALLET_IN_ANOTHER_CURRENCY),
        ([statement(200_000)], OwnSales(0, 0, "CNY"), Reason.NO_OWN_SALES),
        ([], OwnSales(0, 0, "CNY"), Reason.NO_OWN_SALES),
    ],
)
def test_unknown_is_not_nothing(standing: list[WalletStatement], own: OwnSales, reason: Reason) -> None:
    found = model_value(standing, own, None, RATE, 0.1, 20.0)
    assert (found.value, found.reason) == (None, reason)


def test_nothing_has_its_reason() -> None:
    ours = model_value([statement(90_000)], OWN, None, RATE, 0.1, 20.0)
    assert (ours.value, ours.reason) == (0.0, Reason.WALLET_IS_OURS)
    sole = model_value([statement(200_000, single_source=True)], OWN, None, RATE, 0.1, 20.0)
    assert (sole.value, sole.reason) == (0.0, Reason.SINGLE_SOURCE)


def test_peers_stand_for_a_wallet_that_nobody_stated() -> None:
    peers = peer_wallets([1.5, 2.0, 4.0, 0.5, float("nan")], 4, 0.5)
    assert peers == PeerWallets(4, 0.5, 1.75)
    found = model_value([], OWN, peers, RATE, 0.1, 20.0)
    assert found.reason is Reason.WALLET_OF_PEERS
    assert found.wallet is not None
    assert (found.wallet.amount, found.wallet.basis, found.wallet.peers) == (175_000, "peers", peers)
    assert peer_wallets([2.0, 3.0], 3, 0.5) is None
