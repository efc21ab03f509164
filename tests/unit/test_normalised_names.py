"""Names and addresses as they are compared: one form for many spellings, said how sure, the same when made again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapport_shared.normalisation import company_name, person_name, postal_address
from rapport_shared.normalisation.chinese_names import COMPOUND_SURNAMES, SURNAMES, split_surname, syllables
from rapport_shared.normalisation.name_keys import GUESSED, LIKELY, SURE, script_of, words_of

HAN_NAMES = st.builds(
    lambda family, given: (family, given),
    st.sampled_from([*sorted(SURNAMES), *sorted(COMPOUND_SURNAMES)]),
    st.text(alphabet="伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英晓国子涵轩", min_size=1, max_size=2),
)
NAME_LIKE = st.text(max_size=40) | st.from_regex(
    r"(Dr\. |Mr )?[A-Za-zäöüßé'\-]{1,9}([ ,]{1,2}[A-Za-zäöüß]{1,9}){0,2}", fullmatch=True
)
COMPANY_LIKE = st.text(max_size=40) | st.from_regex(
    r"[A-Za-zü王东方]{1,9}( Co\.?,?)?( Ltd\.?| GmbH|有限公司| AG){0,2}", fullmatch=True
)


@pytest.mark.parametrize(
    "written",
    [
        "王小明",
        "王 小明",
        "王小明先生",
        "Wang Xiaoming",
        "WANG, Xiao Ming",
        "Xiaoming Wang",
        "Xiao-Ming WANG",
        "Xiao Ming Wang",
        "wáng xiǎomíng",
    ],
)
def test_one_chinese_name_has_one_form(written: str) -> None:
    name = person_name(written)
    assert (name.family, name.given) == ("wang", "xiaoming"), f"expected {written} to be read as wang xiaoming: {name}"


@pytest.mark.parametrize(
    ("written", "family", "given"),
    [
        ("曾国藩", "zeng", "guofan"),
        ("单田芳", "shan", "tianfang"),
        ("仇英", "qiu", "ying"),
        ("区志明", "ou", "zhiming"),
        ("查良镛", "zha", "liangyong"),
        ("解珍", "xie", "zhen"),
        ("朴志洙", "piao", "zhizhu"),
        ("盖叫天", "ge", "jiaotian"),
        ("任正非", "ren", "zhengfei"),
        ("翟天临", "zhai", "tianlin"),
        ("尉迟敬德", "yuchi", "jingde"),
        ("万俟卨", "moqi", "xie"),
        ("欧阳娜娜", "ouyang", "nana"),
        ("司马相如", "sima", "xiangru"),
        ("诸葛亮", "zhuge", "liang"),
        ("上官婉儿", "shangguan", "waner"),
        ("歐陽修", "ouyang", "xiu"),
        ("吕布", "lu", "bu"),
        ("Lyu Bu", "lu", "bu"),
        ("Lü Bu", "lu", "bu"),
        ("Xinyu Wang", "wang", "xinyu"),
        ("Zhang Wei", "zhang", "wei"),
        ("Wei Wang", "wang", "wei"),
        ("Nana Ouyang", "ouyang", "nana"),
        ("Hans Müller", "muller", "hans"),
        ("MUELLER, Dr. Hans", "muller", "hans"),
        ("Seán O'Brien", "obrien", "sean"),
        ("van der Berg, Jan", "vanderberg", "jan"),
        ("Johanna Schmidt-Weber", "schmidtweber", "johanna"),
        ("Ｌｉ\u3000Ｎａ", "li", "na"),
        ("李娜 (Li Na)", "li", "na"),
        ("Иван Петров", "петров", "иван"),
        ("王先生", "wang", ""),
        ("司马", "sima", ""),
        ("", "", ""),
    ],
)
def test_family_and_given_name_are_found(written: str, family: str, given: str) -> None:
    name = person_name(written)
    assert (name.family, name.given) == (family, given), f"expected {family} {given} of {written}"


def test_a_surname_of_two_readings_has_both() -> None:
    name = person_name("盖叫天")
    assert (name.family, name.other_family) == ("ge", "gai")
    assert person_name("王小明").other_family == ""


def test_a_name_says_what_was_done_and_how_sure_it_is() -> None:
    assert person_name(None, "王", "小明").sure == SURE
    assert person_name("王小明").sure == LIKELY
    assert person_name("王先生").flags == ("family_only", "title_dropped")
    assert (person_name("懿小明").flags, person_name("懿小明").sure) == (("split_guessed",), GUESSED)
    assert person_name("Zhang Wei").flags == ("order_unsure",)
    assert person_name("Hans Müller").flags == ("split_guessed",)
    assert person_name("Müller, Hans").flags == ()


def test_parts_that_a_source_gives_are_not_guessed_at() -> None:
    assert person_name("小明", "明", "小") == person_name(None, "明", "小")
    assert (person_name(None, "Xiao", "Wang").family, person_name(None, "Xiao", "Wang").given) == ("xiao", "wang")
    assert (person_name(None, "Weber", None).family, person_name(None, "Weber", None).given) == ("weber", "")
    assert (person_name(None, None, "Hans").family, person_name(None, None, "Hans").given) == ("", "hans")


@given(HAN_NAMES)
def test_characters_and_pinyin_meet_in_any_order(name: tuple[str, str]) -> None:
    family, given_name = name
    read = person_name(None, family, given_name)
    assert (
        person_name(f"{family}{given_name}").letters == read.letters or split_surname(family + given_name)[0] != family
    )
    for written in (f"{read.family}, {read.given}", f"{read.family} {read.given}", f"{read.given} {read.family}"):
        assert person_name(written.title()).letters == read.letters, f"expected {written} to meet {family}{given_name}"


@given(NAME_LIKE)
@example("Dr.")
@example("ǅ")
@example("aeee b")
@example("먆ॵ İ")
def test_a_name_is_normalised_once(written: str) -> None:
    name = person_name(written)
    again = person_name(None, name.family, name.given)
    if name.family and name.given:
        assert (again.family, again.given) == (name.family, name.given)
    assert words_of(" ".join(words_of(written))) == words_of(written)


@given(NAME_LIKE, st.none() | NAME_LIKE, st.none() | NAME_LIKE)
def test_any_text_is_a_name(display: str, family: str | None, given_name: str | None) -> None:
    name = person_name(display, family, given_name)
    assert GUESSED <= name.sure <= SURE
    assert name.script == script_of(name.family + name.given) or name.script in ("han", "mixed", "latin", "other")


@pytest.mark.parametrize(
    ("text", "script"),
    [("王小明", "han"), ("Wang", "latin"), ("王 Wang", "mixed"), ("Иван", "other"), ("12", "other"), ("Ż", "latin")],
)
def test_scripts(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("token", "found"),
    [("xiaoming", ("xiao", "ming")), ("xian", ("xian",)), ("weber", ()), ("", ()), ("zhuang", ("zhuang",)), ("王", ())],
)
def test_syllables(token: str, found: tuple[str, ...]) -> None:
    assert syllables(token) == found


@pytest.mark.parametrize(
    ("written", "name", "legal"),
    [
        ("上海大众汽车有限公司", "上海大众汽车", "ltd"),
        ("上海大众汽车", "上海大众汽车", ""),
        ("大众（中国）有限责任公司", "大众中国", "ltd"),
        ("华为技术股份有限公司", "华为技术", "plc"),
        ("阿里巴巴有限公司上海分公司", "阿里巴巴上海分公司", "ltd"),
        ("ACME Co., Ltd.", "acme", "ltd"),
        ("Acme Limited", "acme", "ltd"),
        ("Müller GmbH", "muller", "gmbh"),
        ("Mueller AG", "muller", "ag"),
        ("The Acme Company, Inc.", "acme", "inc"),
        ("GmbH", "gmbh", ""),
        ("有限公司", "有限公司", ""),
    ],
)
def test_a_legal_form_is_taken_out_and_kept(written: str, name: str, legal: str) -> None:
    found = company_name(written)
    assert (found.name, found.legal) == (name, legal)
    assert found.flags == (("legal_form_dropped",) if legal else ())


@given(COMPANY_LIKE)
def test_a_company_is_normalised_once(written: str) -> None:
    name = company_name(written).name
    assert company_name(name).name == name


@pytest.mark.parametrize(
    ("raw", "parts", "flags"),
    [
        ("上海市浦东新区世纪大道100号5栋201室", ("上海", "上海", "浦东新", "世纪大道", "100-5-201"), ("parsed",)),
        ("广东省深圳市南山区科技园路1号", ("广东", "深圳", "南山", "科技园路", "1"), ("parsed",)),
        ("北京市海淀区中关村大街27号", ("北京", "北京", "海淀", "中关村大街", "27"), ("parsed",)),
        ("中国内蒙古自治区呼和浩特市新城区新华大街5号", ("内蒙古", "呼和浩特", "新城", "新华大街", "5"), ("parsed",)),
        ("重庆市重庆市渝中区民权路28号", ("重庆", "重庆", "渝中", "民权路", "28"), ("parsed",)),
        ("浙江杭州文三路90号", ("浙江", "", "", "杭州文三路", "90"), ("parsed", "parts_guessed")),
        ("世纪大道100号", ("", "", "", "世纪大道", "100"), ("parsed", "parts_guessed")),
        ("6 Tullaroop St", ("", "", "", "tullaroop street", "6"), ("parsed", "parts_guessed")),
    ],
)
def test_one_line_is_taken_apart_where_suffixes_say_what_a_part_is(
    raw: str, parts: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    found = postal_address(raw=raw)
    assert (found.region, found.city, found.district, found.street, found.number) == parts
    assert found.flags == flags


@pytest.mark.parametrize(
    ("street", "name", "number"),
    [
        ("6 tullaroop street", "tullaroop street", "6"),
        ("Hauptstr. 5a", "hauptstrasse", "5a"),
        ("12 rue de la Paix", "rue de la paix", "12"),
        ("St James Rd 7", "st james road", "7"),
        ("99", "", "99"),
        ("Willaroo", "willaroo", ""),
        ("世纪大道 100号", "世纪大道", "100"),
    ],
)
def test_the_number_of_a_house_stands_apart(street: str, name: str, number: str) -> None:
    found = postal_address(street=street)
    assert (found.street, found.number) == (name, number)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            part: st.text(max_size=30)
            | st.from_regex(
                r"[0-9]{0,3}[a-z]?[ ]?[A-Za-zß省市区路号上海]{1,9}( str\.| st)?[ ]?[0-9]{0,3}号?", fullmatch=True
            )
            for part in ("country", "region", "city", "district", "street", "postcode", "raw")
        },
    )
)
def test_an_address_is_normalised_once(parts: dict[str, str]) -> None:
    found = postal_address(**parts)
    again = postal_address(
        country=found.country,
        region=found.region,
        city=found.city,
        district=found.district,
        street=found.line,
        postcode=found.postcode,
    )
    assert (again.country, again.region, again.city, again.district, again.street, again.number, again.postcode) == (
        found.country,
        found.region,
        found.city,
        found.district,
        found.street,
        found.number,
        found.postcode,
    )


def test_parts_are_preferred_to_the_line() -> None:
    found = postal_address(city="上海市", raw="北京市海淀区中关村大街27号")
    assert (found.city, found.region, found.flags) == ("上海", "", ())
    assert postal_address().empty
