"""Tables: profiles of them, and copies as Parquet or CSV.

opening    the kind of a table by its bytes, and its reader    engine     DuckDB, locked to one file and one folder
readers    separated (CSV, TSV) · lines (JSON lines) · columnar (Parquet) · workbook (Excel, OpenDocument)
results    profiling · writing                                 values     how values and names are shown
parts      relation (the form of DuckDB's readers) · dialect (of CSV) · recoding (to UTF-8) · cells, ods, xlsb (limits of sheets)
"""

from shared.processors.tables.profiling import profile
from shared.processors.tables.writing import convert

__all__ = ["convert", "profile"]
