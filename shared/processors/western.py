"""Whether bytes are a text in a language of Western Europe, in Windows' code page 1252.

Short texts have too few letters for statistics: `Köln` is as good in Big5. Here each word has to be spelled as one of the
languages spells its words, which words in another encoding hardly ever are.
"""

import re
from collections.abc import Iterable

#: Of ten words beyond ASCII, so many have to be spelled right: a text may have a foreign name.
_RIGHT_OF_TEN = 9
#: Signs: anywhere, or only where people write them. Letters of other encodings come in the places of all of them.
_SIGNS = re.compile(
    "[\xa0«»„“”‘’…–—•·©®™°§€½¼¾]|(?<![^\\W\\d_])[¿¡](?=[A-ZÁÉÍÓÚÑ])|(?<=[\\dN])[ºª]|(?<=m)[²³]|(?<=\\d )[±×]|£(?= ?\\d)"
)
_WORD = re.compile(r"[A-Za-z]*[^\x00-\x7f][A-Za-z\x80-\U0010ffff]*")
#: More accents side by side are a word of another alphabet; a word of accents alone is one of these.
_MANY_ACCENTS = re.compile(r"[^\x00-\x7f]{3}")
_ALONE = re.compile("[äöüß]+|[àâéèíóåæø]")
_SPELLED = (
    re.compile("[a-zäöüßåæøé]+"),  # German, Danish, Norwegian, Swedish, Finnish
    re.compile("[a-zàâæçèéêëîïôœùûüÿ]+"),  # French
    re.compile("[a-zàáèéíïñòóúüç]+"),  # Spanish, Catalan
    re.compile("(?:[a-zàáâãçéêíóôúü]|õ(?=e))+"),  # Portuguese
    re.compile("[a-z]+[àèéìòù]"),  # Italian
    re.compile("[a-zëïöüéèáíóê]+"),  # Dutch
)
#: Letters of Icelandic and Faroese, in whose places Turkish has its own: a text with them is in no other language.
_NORTHERN, _NORTHERN_ONLY = (re.compile("[a-záðéíóúýþæöø]+"),), frozenset("ðýþ")


def is_western(data: bytes) -> bool:
    """Whether nearly every word beyond ASCII is spelled as in one of the languages, when read in the code page 1252."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    words = [word.lower() for word in _WORD.findall(_SIGNS.sub(" ", text))]
    spellings = _SPELLED if all(map(_NORTHERN_ONLY.isdisjoint, words)) else _NORTHERN
    return 10 * sum(_is_spelled(word, spellings) for word in words) >= _RIGHT_OF_TEN * len(words)


def _is_spelled(word: str, spellings: Iterable[re.Pattern[str]]) -> bool:
    if not any("a" <= letter <= "z" for letter in word):
        return _ALONE.fullmatch(word) is not None
    return not _MANY_ACCENTS.search(word) and any(spelling.fullmatch(word) for spelling in spellings)
