"""Small Office and OpenDocument files, zipped from hand-written XML."""

import io
import zipfile
from collections.abc import Mapping

CORE = """<cp:coreProperties xmlns:cp="c" xmlns:dc="d" xmlns:dcterms="t"><dc:title>Plan  B</dc:title><dc:creator>Ada</dc:creator>
<dcterms:created>2024-01-31T12:00:00Z</dcterms:created><dcterms:modified>yesterday</dcterms:modified></cp:coreProperties>"""
WORD = '<w:document xmlns:w="w"><w:body>{}</w:body></w:document>'
SLIDE = '<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:sld>'
OPEN = '<o:document-content xmlns:o="o" xmlns:text="t" xmlns:table="b" xmlns:draw="d">{}</o:document-content>'
META = """<o:document-meta xmlns:o="o" xmlns:dc="d" xmlns:meta="m"><dc:title>Offen</dc:title>
<meta:initial-creator>Bo</meta:initial-creator><meta:creation-date>2024-01-31T12:00:00.5</meta:creation-date></o:document-meta>"""


def zipped(parts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()


def docx(body: str, more: Mapping[str, str | bytes] | None = None) -> bytes:
    return zipped({"word/document.xml": WORD.format(body), "docProps/core.xml": CORE, **(more or {})})


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def pptx(*slides: str) -> bytes:
    """The slides are shown in the reverse order of their files' numbers."""
    numbers = list(range(len(slides), 0, -1))
    ids = "".join(f'<p:sldId id="{number}" r:id="r{number}"/>' for number in numbers)
    targets = "".join(f'<Relationship Id="r{number}" Target="slides/slide{number}.xml"/>' for number in numbers)
    parts = {f"ppt/slides/slide{number}.xml": SLIDE.format(text) for number, text in zip(numbers, slides, strict=True)}
    presentation = f'<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>'
    relations = f"<Relationships>{targets}</Relationships>"
    return zipped({"ppt/presentation.xml": presentation, "ppt/_rels/presentation.xml.rels": relations, **parts})


def open_document(kind: str, body: str, manifest: str = "<m/>") -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    return zipped({"mimetype": mimetype, "content.xml": OPEN.format(body), "meta.xml": META, "META-INF/manifest.xml": manifest})


def xlsx(*sheets: tuple[str, str]) -> bytes:
    """Each sheet has a name and the XML of its rows."""
    ids = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in enumerate(sheets, 1))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    book = f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{ids}</sheets></workbook>'
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    parts = {
        f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        for n, (_, rows) in enumerate(sheets, 1)
    }
    to_book = f'<Relationship Id="b" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>'
    root = f'<Relationships xmlns="{packages}">{to_book}</Relationships>'
    relations = f'<Relationships xmlns="{packages}">{targets}</Relationships>'
    return zipped({"_rels/.rels": root, "xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": relations, **parts})


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
