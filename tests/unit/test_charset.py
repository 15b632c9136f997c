"""Encodings of short texts, as people write them, by their bytes."""

from pathlib import Path

import pytest

from shared.processors import charset, western

_WESTERN = (
    *("ö", "schön", "Köln", "Größe: 5 €, größer", "äöüÄÖÜß", "Ein kurzer Satz über schöne Dinge."),
    *("café", "L’été", "Résumé déjà vu", "Où est la bibliothèque ? À côté de l’école.", "naïve", "œuf", "créée"),
    *("señor", "¡Hola, señor!", "¿Qué?", "El niño comió piñas en España.", "Nº 5, 3º"),
    *("São Paulo", "Não há informações disponíveis."),
    *("città", "Perché è così?"),
    *("Ålesund", "Smørrebrød", "Ærø", "Vi ses på söndag hälsar Åsa.", "Þór", "Ég er að læra íslensku, það er gaman."),
    *("20 °C", "price: £5", "© 2026 Acme", "½ cup", "5 m²", "“quoted” – don’t…", "2 × 3"),
    *("city,n\nKöln,1\nMálaga,2\nSão Paulo,3\nÅlesund,4\n", "a;b\nö;1\n", "Hello ö\n" * 1000),
    "Não há informações disponíveis: São João, Málaga, você, ação, avó, pé, água, Škoda\n",
    "Müller, Größe, Straße, schön, über, für, Köln, Tür, Bär, Café, Škoda\n",
)
_OTHERS = (
    ("cp1250", "Dobrý den, děkuji vám."),
    ("cp1250", "Český Krumlov"),
    ("cp1250", "děkuji"),
    ("cp1250", "Żółw je trawę"),
    ("cp1250", "Szép nő, jó idő"),
    ("cp1250", "Bucureşti, România, înălţime"),
    ("cp1250", "miasto;ludność\nŁódź;1\nGdańsk;2\nKraków;3\n"),
    ("cp1251", "Он был дома, и она тоже."),
    ("cp1251", "Привет, как дела? Это текст на русском языке."),
    ("koi8_r", "Москва и Казань"),
    ("cp1253", "όνομα;πόλη\nΓιάννης;Αθήνα\n"),
    ("shift_jis", "名前,都市\n太郎,東京\n"),
    ("shift_jis", "これは日本語のテキストです。"),
    ("euc_jp", "名前,都市\n太郎,東京\n"),
    ("gb18030", "你好，世界。这是一个中文文本。"),
    ("big5", "姓名,城市\n王小明,台北\n"),
)


def found(data: bytes, folder: Path) -> str:
    path = folder / "text"
    path.write_bytes(data)
    return charset.detect(path)


@pytest.mark.parametrize("text", _WESTERN)
def test_a_short_text_of_western_europe_is_in_code_page_1252(text: str, tmp_path: Path) -> None:
    assert found(text.encode("cp1252"), tmp_path) == "cp1252"


@pytest.mark.parametrize(("encoding", "text"), _OTHERS)
def test_a_short_text_in_another_encoding_is_found(encoding: str, text: str, tmp_path: Path) -> None:
    assert text.encode(encoding).decode(found(text.encode(encoding), tmp_path)) == text


def test_letters_of_turkish_are_not_taken_for_icelandic(tmp_path: Path) -> None:
    text = "Şehir;Nüfus\nİzmir;1\nMuğla;2\nDiyarbakır;3\nEskişehir;4\nKütahya;5\n"

    assert found(text.encode("cp1254"), tmp_path) != "cp1252"


def test_accents_side_by_side_are_letters_of_another_alphabet() -> None:
    assert "AÊÇËû".encode("cp1252") == "A是他".encode("gb18030")
    assert not western.is_western("A是他".encode("gb18030"))


def test_zeros_in_both_places_are_no_utf_16(tmp_path: Path) -> None:
    assert found(b"\0\0" * 9 + b"a\0", tmp_path) == "utf-8"
