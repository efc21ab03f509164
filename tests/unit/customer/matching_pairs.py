"""Pairs of profiles that are not one party though they look it, and pairs that are though they do not.

Each has a name that says what happened in the world. The shipped weights must join none of the first.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from rapport_customer.domain.matching import Features
from tests.support.parties import party

Pair: TypeAlias = tuple[str, Features, Features]

ADDRESSES = (
    "上海市浦东新区世纪大道100号5栋201室",
    "广东省深圳市南山区科技园路1号3栋1502室",
    "北京市朝阳区建国路88号12号楼301室",
)
HOMES = (
    {"street": "Hauptstr. 5a", "city": "München", "postcode": "80331", "country": "DE"},
    {"street": "6 Tullaroop Street", "city": "Willaroo", "postcode": "4011", "region": "WA", "country": "AU"},
    {"street": "12 rue de la Paix", "city": "Paris", "postcode": "75002", "country": "FR"},
)
SIBLINGS = (
    ("王小明", "王小红"),
    ("李建国", "李建军"),
    ("欧阳娜娜", "欧阳妮妮"),
    ("张伟", "张薇薇"),
    ("Chen Jiayi", "Chen Jiaxin"),
)
WESTERN_SIBLINGS = (
    ("Daniel Weber", "Daniela Weber"),
    ("Tim Weber", "Tom Weber"),
    ("Anna Schmidt", "Hanna Schmidt"),
    ("Paul Martin", "Paula Martin"),
    ("Mia Fischer", "Pia Fischer"),
    ("Jan Fischer", "Jana Fischer"),
    ("Emma Brown", "Ella Brown"),
    ("Marco Rossi", "Mario Rossi"),
    ("Christian Koch", "Christina Koch"),
)
SURNAMES_READ_RIGHTLY = (
    ("曾国藩", "Zeng Guofan"),
    ("单田芳", "Shan Tianfang"),
    ("尉迟敬德", "Yuchi Jingde"),
    ("盖叫天", "Gai Jiaotian"),
)
NAMESAKES = ("王伟", "李娜", "张敏", "Wang Wei", "Peter Müller", "John Smith", "欧阳锋")


def others() -> Iterator[Pair]:
    """Pairs that are two parties."""
    yield from _relatives()
    yield from _twins()
    yield from _fathers_and_sons()
    yield from _namesakes()
    yield from _numbers_of_several()
    yield from _companies()
    yield from _owners_of_one_car()


def same() -> Iterator[Pair]:
    """Pairs that are one party, and say enough to be joined."""
    yield from _written_otherwise()
    yield from _slips()
    yield from _changes_of_life()
    yield from _one_company()


def _relatives() -> Iterator[Pair]:
    for one, other in SIBLINGS:
        for address in ADDRESSES:
            yield "siblings at one address", party(one, "1985-03-01", address), party(other, "1988-11-20", address)
            yield "siblings, no birth dates", party(one, None, address), party(other, None, address)
            phone = "021-62345678"
            yield (
                "siblings with the family's phone",
                party(one, None, address, phone=phone),
                party(other, "1988-11-20", address, phone=phone),
            )
    for one, other in WESTERN_SIBLINGS:
        for home in HOMES:
            yield "siblings at one address", party(one, "1985-03-01", home), party(other, "1987-06-30", home)
    for home in HOMES:
        yield "spouses", party("Hans Weber", "1960-04-02", home), party("Inge Weber", "1962-04-05", home)
        yield (
            "spouses with one mailbox",
            party("Hans Weber", None, home, email="familie.weber@example.com"),
            party("Inge Weber", None, home, email="familie.weber@example.com"),
        )
        yield "mother and daughter", party("Anna Weber", "1960-04-02", home), party("Anne Weber", "1990-04-02", home)


def _twins() -> Iterator[Pair]:
    for one, other in SIBLINGS:
        for address in ADDRESSES:
            yield "twins", party(one, "1985-03-01", address), party(other, "1985-03-01", address)
    for one, other in WESTERN_SIBLINGS:
        for home in HOMES:
            yield "twins", party(one, "2001-12-24", home), party(other, "2001-12-24", home)
    yield (
        "twins with their mother's phone",
        party("王子涵", "2015-05-05", ADDRESSES[0], phone="13800138000"),
        party("王子轩", "2015-05-05", ADDRESSES[0], phone="13800138000"),
    )
    yield (
        "twins of one sound with the family's phone",
        party("王晓雯", "2015-05-05", ADDRESSES[0], phone="13800138000"),
        party("王小文", "2015-05-05", ADDRESSES[0]),
    )


def _fathers_and_sons() -> Iterator[Pair]:
    for name in NAMESAKES:
        for address in (ADDRESSES[0], HOMES[0]):
            yield "father and son", party(name, "1950-03-01", address), party(name, "1978-11-17", address)
            yield _pair(
                "father and son, the phone shared",
                (party(name, born, address, phone="021-62345678") for born in ("1950-03-01", "1978-11-17")),
            )
            yield "perhaps father and son", party(name, None, address), party(name, None, address)
            yield "perhaps father and son, one dated", party(name, "1950-03-01", address), party(name, None, address)


def _namesakes() -> Iterator[Pair]:
    for name in NAMESAKES:
        yield "namesakes who say nothing else", party(name), party(name)
        yield _pair("namesakes in one town", (party(name, None, {"city": "上海", "country": "CN"}) for _ in range(2)))
        yield (
            "namesakes born on one day, in two towns",
            party(name, "1985-03-01", ADDRESSES[0]),
            party(name, "1985-03-01", ADDRESSES[1]),
        )
        yield (
            "namesakes in one building",
            party(name, "1985-03-01", "上海市浦东新区世纪大道100号5栋201室"),
            party(name, "1991-07-12", "上海市浦东新区世纪大道100号7栋1104室"),
        )
    yield (
        "other characters of one sound",
        party("王伟", "1985-03-01", ADDRESSES[0]),
        party("王薇", "1985-03-01", ADDRESSES[0]),
    )


def _numbers_of_several() -> Iterator[Pair]:
    phone = "13912345678"
    yield "a recycled number", party("王小明", None, phone=phone), party("李芳", None, phone=phone)
    yield (
        "a recycled number, both dated",
        party("王小明", "1985-03-01", ADDRESSES[0], phone=phone),
        party("李芳", "1990-02-02", ADDRESSES[1], phone=phone),
    )
    yield (
        "a recycled number, of one surname",
        party("王小明", "1985-03-01", ADDRESSES[0], phone=phone),
        party("王芳", "1990-02-02", ADDRESSES[1], phone=phone),
    )
    yield (
        "a recycled number, of one common name",
        party("王伟", "1985-03-01", ADDRESSES[0], phone=phone),
        party("王伟", "1999-09-09", ADDRESSES[1], phone=phone),
    )
    office = {"street": "Industriestr. 1", "city": "Köln", "postcode": "50667", "country": "DE"}
    for one, other in (("Peter Kunz", "Petra Kunz"), ("Ali Demir", "Jens Kunz"), ("John Smith", "Joan Smith")):
        yield _pair(
            "colleagues",
            (party(name, None, office, phone="+49221123456", email="info@kunz.example") for name in (one, other)),
        )
    yield "two who say nothing but a shop's phone", party(None, phone=phone), party("王小明", phone=phone)
    yield _pair(
        "a card lent to a daughter", (party(name, None, ADDRESSES[0], card="6200 1") for name in ("王建国", "王丽"))
    )


def _companies() -> Iterator[Pair]:
    address = ADDRESSES[0]
    phone = "021-62345678"
    for one, other in (
        ("上海第一建筑有限公司", "上海第二建筑有限公司"),
        ("大众汽车有限公司上海分公司", "大众汽车有限公司北京分公司"),
        ("Autohaus 24 GmbH", "Autohaus 42 GmbH"),
        ("Müller GmbH", "Müller AG"),
        ("华为技术有限公司", "华伟技术有限公司"),
    ):
        yield _pair("two companies in one building", (party(name, None, address, phone=phone) for name in (one, other)))
    yield (
        "two companies of one name",
        party("东方贸易有限公司", None, address),
        party("东方贸易有限公司", None, ADDRESSES[1]),
    )
    yield _pair(
        "a company and its founder",
        (party("Peter Müller", None, address, phone=phone, kind=kind) for kind in ("company", "person")),
    )
    yield "a company and somebody there", party("王小明", None, address), party("小明有限公司", None, address)
    yield _pair(
        "a household and its head",
        (party("王小明", "1985-03-01", address, phone=phone, kind=kind) for kind in ("household", "person")),
    )


def _owners_of_one_car() -> Iterator[Pair]:
    yield "seller and buyer of a car", party("王小明", "1985-03-01"), party("李芳", "1990-02-02")
    yield "seller and buyer of one surname", party("王小明", None, ADDRESSES[0]), party("王强", None, ADDRESSES[0])


def _written_otherwise() -> Iterator[Pair]:
    chinese = party("王小明", "1985-03-01", ADDRESSES[0], phone="13800138000")
    for name in ("Wang Xiaoming", "Xiaoming Wang", "WANG, Xiao Ming", "Xiao Ming Wang", "王小明先生", "王 小明"):
        yield f"a passport: {name}", chinese, party(name, "19850301", phone="+86 138 0013 8000")
    for han, latin in (
        ("曾国藩", "Zeng Guofan"),
        ("单田芳", "Shan Tianfang"),
        ("尉迟敬德", "Yuchi Jingde"),
        ("盖叫天", "Gai Jiaotian"),
    ):
        yield _pair(
            f"a surname read rightly: {latin}",
            (party(name, "1985-03-01", email="someone@example.com") for name in (han, latin)),
        )
    home = HOMES[0]
    for name in ("MUELLER, Hans", "Dr. Hans Müller", "hans muller", "Hans Mueller"):
        yield f"one spelling of many: {name}", party("Hans Müller", "1960-04-02", home), party(name, "1960/4/2", home)
    yield (
        "other characters of one sound, written down on the phone",
        party("王晓明", "1985-03-01", ADDRESSES[0], phone="13800138000"),
        party("王小明", "1985-03-01", phone="13800138000"),
    )
    yield (
        "an initial, with the same mailbox",
        party("J. Smith", "1960-04-02", email="j.smith60@example.com"),
        party("John Smith", "1960-04-02", HOMES[1], email="j.smith60@example.com"),
    )


def _slips() -> Iterator[Pair]:
    right = party("Isabella Hoehne", "1988-06-07", HOMES[1])
    for name, born, changed in (
        ("Isabekla Hoehne", "1988-06-07", {}),
        ("Isabella Hohne", "1988-06-07", {}),
        ("Hoehne Isabella", "1988-06-07", {}),
        ("Isabella Hoehne", "1988-07-06", {}),
        ("Isabella Hoehne", "1988-06-17", {}),
        ("Isabella Hoehne", "1988-06-07", {"postcode": "4101"}),
        ("Isabella Hoehne", "1988-06-07", {"street": "6 Tullarop St"}),
        ("Isabella Hoehne", "1988-06-07", {"street": "16 Tullaroop Street"}),
        ("Isabekla Hohne", "1988-06-17", {"city": "Wilaroo"}),
        ("Isabella Hoehne", "1958-06-07", {}),
    ):
        yield f"a slip: {name} {born} {changed}", right, party(name, born, {**HOMES[1], **changed})
    yield _pair(
        "a slip in pinyin",
        (
            party(name, "1985-03-01", ADDRESSES[1], email="li.nana@example.com")
            for name in ("Li Xiaoying", "Li Xiaoyin")
        ),
    )


def _changes_of_life() -> Iterator[Pair]:
    for surname in ("Weber", "Schmidt-Weber", "Lund"):
        yield (
            f"a marriage: {surname}",
            party("Johanna Kaltenbach", "1990-01-31", HOMES[0], email="hanna.k@example.com"),
            party(f"Johanna {surname}", "1990-01-31", HOMES[0], email="hanna.k@example.com"),
        )
    yield (
        "moved house, number kept",
        party("王小明", "1985-03-01", ADDRESSES[0], phone="13800138000"),
        party("王小明", "1985-03-01", ADDRESSES[1], phone="13800138000"),
    )
    for name in ("欧阳锋", "Peter Kaltenbach", "王小明"):
        address = HOMES[0] if name.isascii() else ADDRESSES[2]
        yield _pair(
            f"a new number: {name}",
            (party(name, "1985-03-01", address, phone=phone) for phone in ("13800138000", "13912345678")),
        )


def _one_company() -> Iterator[Pair]:
    address = ADDRESSES[0]
    for one, other in (
        ("上海大众汽车有限公司", "上海大众汽车"),
        ("大众（中国）有限责任公司", "大众(中国)有限公司"),
        ("ACME Industries Co., Ltd.", "Acme Industries Limited"),
        ("Kaltenbach GmbH", "KALTENBACH Gmbh"),
    ):
        yield _pair(f"a legal form: {other}", (party(name, None, address, kind="company") for name in (one, other)))
    yield _pair("a household", (party("Familie Kaltenbach", None, HOMES[0], kind="household") for _ in range(2)))


def _pair(what: str, parties: Iterable[Features]) -> Pair:
    one, other = parties
    return what, one, other
