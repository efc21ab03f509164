"""Chinese names: where the family name ends, and how it is read.

Compound surnames and surname readings after 百家姓 and the surname entries of 现代汉语词典; other characters are
read by pypinyin, one by one, without tones, so that a name has the same reading in every text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from pypinyin import lazy_pinyin

HAN: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufa6d\ufa70-\ufad9\U00020000-\U0002a6dd\U0002a700-\U0002b738"
    r"\U0002b740-\U0002b81d\U0002b820-\U0002cea1\U0002ceb0-\U0002ebe0\U0002f800-\U0002fa1d\U00030000-\U0003134a]"
)
"""Chinese characters: what Unicode 14 has assigned, for what it has not is no letter to Python either."""

_COMPOUND: Final = (
    "欧阳歐陽太史端木上官司马司馬东方東方独孤獨孤南宫南宮万俟萬俟闻人聞人夏侯诸葛諸葛尉迟尉遲公羊赫连赫連"
    "澹台澹臺皇甫宗政濮阳濮陽公冶太叔申屠公孙公孫慕容仲孙仲孫钟离鍾離长孙長孫宇文司徒鲜于鮮于司空闾丘閭丘"
    "令狐淳于单于單于呼延百里拓跋轩辕軒轅东郭東郭南郭西门西門东门東門纳兰納蘭完颜完顏第五司寇巫马巫馬公西"
    "漆雕乐正樂正壤驷壤駟公良夹谷夾谷宰父谷梁段干羊舌微生梁丘左丘南荣南榮叶赫"
)
COMPOUND_SURNAMES: Final = frozenset(_COMPOUND[place : place + 2] for place in range(0, len(_COMPOUND), 2))

_SURNAME_READINGS: Final = {
    "曾": "zeng", "单": "shan", "單": "shan", "仇": "qiu", "区": "ou", "區": "ou", "查": "zha", "解": "xie",
    "朴": "piao", "盖": "ge", "蓋": "ge", "任": "ren", "翟": "zhai", "乐": "yue", "樂": "yue", "覃": "qin",
    "秘": "bi", "繁": "po", "员": "yun", "員": "yun", "召": "shao", "种": "chong", "冼": "xian", "洗": "xian",
    "折": "she", "黑": "he", "祭": "zhai", "缪": "miao", "繆": "miao", "费": "fei", "隗": "wei", "郗": "xi",
    "句": "gou", "燕": "yan", "那": "na", "宓": "mi", "哈": "ha", "尹": "yin", "应": "ying", "應": "ying",
    "华": "hua", "華": "hua", "宁": "ning", "寧": "ning", "纪": "ji", "紀": "ji", "贾": "jia", "賈": "jia",
    "葛": "ge", "臧": "zang", "车": "che", "車": "che", "曲": "qu", "相": "xiang", "谌": "chen", "諶": "chen",
    "逄": "pang", "芮": "rui", "阚": "kan", "闞": "kan", "晁": "chao", "佘": "she", "訾": "zi", "啜": "chuai",
    "尉迟": "yuchi", "尉遲": "yuchi", "万俟": "moqi", "萬俟": "moqi", "长孙": "zhangsun", "長孫": "zhangsun",
    "单于": "chanyu", "單于": "chanyu", "澹台": "tantai", "澹臺": "tantai", "令狐": "linghu", "夏侯": "xiahou",
    "乐正": "yuezheng", "樂正": "yuezheng", "宰父": "zaifu", "鲜于": "xianyu", "鮮于": "xianyu", "叶赫": "yehe",
    "拓跋": "tuoba", "夹谷": "jiagu", "夾谷": "jiagu",
}  # fmt: skip

_OTHER_READINGS: Final = {
    "盖": "gai", "蓋": "gai", "乐": "le", "樂": "le", "覃": "tan", "隗": "kui", "郗": "chi", "宓": "fu", "谌": "shen",
    "朴": "park", "尉": "yu", "缪": "mou", "种": "zhong", "洗": "xi", "区": "qu", "查": "cha", "单": "dan",
}  # fmt: skip
"""Readings that families of the same character use, or that are so often written that they should meet."""

_FINALS: Final = {
    "": "a o e ai ei ao ou an en ang eng er",
    "b": "a o ai ei ao an en ang eng i ie iao ian in ing u",
    "c": "a e i ai ao ou an en ang eng ong u uo ui uan un",
    "ch": "a e i ai ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "d": "a e ai ei ao ou an en ang eng ong i ie iao iu ian ing u uo ui uan un",
    "f": "a o ei ou an en ang eng u",
    "g": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "h": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "j": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "k": "a e ai ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "l": "a e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve ue",
    "m": "a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u",
    "n": "a e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing u uo uan v ve ue",
    "p": "a o ai ei ao ou an en ang eng i ie iao ian in ing u",
    "q": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "r": "e i ao ou an en ang eng ong u ua uo ui uan un",
    "s": "a e i ai ao ou an en ang eng ong u uo ui uan un",
    "sh": "a e i ai ei ao ou an en ang eng u ua uo uai ui uan un uang",
    "t": "a e ai ao ou an ang eng ong i ie iao ian ing u uo ui uan un",
    "w": "u a o ai ei an en ang eng",
    "x": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "y": "o i a e ao ou an in ang ing ong u ue uan un",
    "z": "a e i ai ei ao ou an en ang eng ong u uo ui uan un",
    "zh": "a e i ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
}  # fmt: skip
"""The finals that each initial of a pinyin syllable may have."""

_SYLLABLES: Final = frozenset(initial + final for initial, finals in _FINALS.items() for final in finals.split(" "))
_LONGEST_SYLLABLE: Final = 6
_WITH_UMLAUT: Final = {"lyu": "lu", "nyu": "nu"}

_BY_FREQUENCY: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
    "汤康易乔赖文樊兰殷施洪翟安颜倪牛温芦季俞章鲁葛伍申尤毕聂丛焦柳邢路岳齐梅庄辛管祝左涂谷祁时舒耿牟卜詹"
    "关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁"
    "瞿戚丘古米池滕晋苑邬臧畅宫来苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷"
    "卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙伏岑习胥保和蔺張劉陳楊黃趙"
    "吳孫馬鄭謝許韓鄧馮蕭葉蘇呂盧鐘譚陸賈鄒閻龍賀顧龔萬錢嚴湯喬賴蘭區朴尉"
)
"""Surnames of one character, the commonest first (as far as they are counted)."""

SURNAMES: Final = frozenset(_BY_FREQUENCY)


def has_han(text: str) -> bool:
    """Whether `text` has a Chinese character."""
    return HAN.search(text) is not None


def split_surname(name: str) -> tuple[str, str, bool]:
    """Family and given name of a name in Chinese characters alone, and whether the surname is a known one.

    A name of two characters that begin like a compound surname is read so only if it is nothing else: 司马 alone
    is the surname. One character alone is a surname where it is a known one, else a given name.
    """
    if name[:2] in COMPOUND_SURNAMES:
        return name[:2], name[2:], True
    if len(name) == 1:
        return (name, "", True) if name in SURNAMES else ("", name, False)
    return name[:1], name[1:], name[:1] in SURNAMES


def surname_readings(family: str) -> tuple[str, ...]:
    """How a family name may be read, the usual reading first: 曾 is zeng, 盖 is ge or gai."""
    first = _SURNAME_READINGS.get(family) or reading(family)
    other = _OTHER_READINGS.get(family)
    return (fold_umlaut(first), other) if other else (fold_umlaut(first),)


def reading(text: str) -> str:
    """The pinyin of `text` without tones and spaces; what is not Chinese stays."""
    return "".join(map(_read, text))


def fold_umlaut(pinyin: str) -> str:
    """ü has four spellings, v, yu, u and ü; compared is u. yu is read so in a syllable of its own alone: xinyu."""
    return _WITH_UMLAUT.get(pinyin) or pinyin.replace("lv", "lu").replace("nv", "nu")


@lru_cache(maxsize=65_536)
def syllables(token: str) -> tuple[str, ...]:
    """`token`, in small Latin letters, as pinyin syllables, as few as possible; empty where it is none."""
    if not token.isascii():
        return ()
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(token) + 1):
        ways = (
            (*known, token[begin:end])
            for begin in range(max(0, end - _LONGEST_SYLLABLE), end)
            if (known := best[begin]) is not None and token[begin:end] in _SYLLABLES
        )
        best.append(min(ways, key=len, default=None))
    return best[-1] or ()


@lru_cache(maxsize=1)
def surname_pinyin() -> Mapping[str, int]:
    """How the known surnames are read, to find one in a name in Latin letters; the commoner has the lower number."""
    ranks: dict[str, int] = {}
    for rank, surname in enumerate((*_BY_FREQUENCY, *sorted(COMPOUND_SURNAMES))):
        for found in surname_readings(surname):
            ranks.setdefault(found, rank)
    return MappingProxyType(ranks)


@lru_cache(maxsize=32_768)
def _read(sign: str) -> str:
    return fold_umlaut("".join(lazy_pinyin(sign))).lower()
