"""Attribute indicators: tenure, labels, and the share of the customer's wallet."""

from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.facts import Attribute, Attributes, WalletStatement
from rapport_scoring.domain.indicators import Indicator, Missing, attribute_indicators, share_of_wallet
from rapport_scoring.domain.indicators.attribute import wallets_in_force
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.purchases import Purchase, category_sales
from tests.unit.scoring.documents import PROFILE
from tests.unit.scoring.indicators.examples import DAY, NOON, RATES, contact, day, purchase, wallet
from tests.unit.scoring.states import figures


def indicators(
    bought: list[Statement], wallets: list[WalletStatement], attributes: Attributes | None = None, hours_ago: int = 10
) -> dict[str, Indicator]:
    found = attribute_indicators(attributes or {}, figures(bought, [contact(hours_ago)]), wallets, RATES, DAY)
    return {each.name: each for each in found}


def test_tenure_counts_from_the_first_purchase_or_contact() -> None:
    assert indicators([purchase(-20), purchase(-3)], [])["tenure_days"].value == 20
    assert indicators([purchase(-20)], [], hours_ago=30 * 24)["tenure_days"].value == 30
    assert attribute_indicators({}, figures(), [], RATES, DAY)[0].missing is Missing.NOTHING_KNOWN


def test_labels_are_what_was_stated() -> None:
    found = indicators([], [], {"industry": Attribute("mining", NOON, UUID(int=7))})
    assert found["industry"].value == "mining"
    assert found["region"].missing is Missing.NOT_STATED


def test_the_share_of_wallet_is_own_sales_of_a_month() -> None:
    bought = [purchase(-10, 9000, categories=("paper",)), purchase(-120, 500, categories=("paper",))]
    found = indicators(bought, [wallet("paper", 6000, rivals=(("Other", 3000),))])
    assert found["share_of_wallet"].value == "0.5000"
    assert found["single_sourced"].value == 0


def test_wallets_in_other_currencies_are_converted_or_a_gap() -> None:
    bought = [purchase(-10, 2400, categories=("ink",))]
    assert indicators(bought, [wallet("ink", 100, "EUR")])["share_of_wallet"].value == "1.0000"
    assert indicators(bought, [wallet("ink", 100, "USD")])["share_of_wallet"].missing is Missing.NO_RATE


def test_an_unknown_or_empty_wallet_has_no_share() -> None:
    assert indicators([purchase(-1)], [])["share_of_wallet"].missing is Missing.NO_WALLET
    assert indicators([purchase(-1)], [wallet("ink", 0)])["share_of_wallet"].missing is Missing.NO_WALLET
    assert indicators([purchase(-1)], [])["single_sourced"].missing is Missing.NO_WALLET


def test_the_newest_statement_in_force_stands() -> None:
    old, new = wallet("ink", 1, number=1, start=-90), wallet("ink", 2, number=2, start=-30, until=-1)
    assert wallets_in_force([new, old], DAY) == {"ink": old}
    assert wallets_in_force([new, old], day(-1)) == {"ink": new}


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sets(st.sampled_from("abcde"), min_size=1))))
def test_categories_share_a_purchase_and_lose_nothing(drawn: list[tuple[int, set[str]]]) -> None:
    bought = [
        Purchase(UUID(int=number), PROFILE, DAY, revenue, "CNY", categories=frozenset(names))
        for number, (revenue, names) in enumerate(drawn)
    ]
    sales = list(category_sales(bought))
    assert sum(sale.revenue for sale in sales) == sum(revenue for revenue, _ in drawn)
    for each in bought:
        parts = [sale.revenue for sale in sales if sale.event_id == each.event_id]
        assert max(parts) - min(parts) <= 1


@given(st.integers(1, 10**6), st.lists(st.tuples(st.integers(-200, 5), st.integers(1, 10**6)), max_size=8))
def test_the_share_is_the_plain_quotient(amount: int, drawn: list[tuple[int, int]]) -> None:
    bought = [purchase(offset, revenue, number=n, categories=("ink",)) for n, (offset, revenue) in enumerate(drawn)]
    sold = sum(revenue for offset, revenue in drawn if DAY - timedelta(days=90) < day(offset) <= DAY)
    share = share_of_wallet({"ink": wallet("ink", amount)}, figures(bought), RATES, DAY)
    assert share == Fraction(sold, 3 * amount)
