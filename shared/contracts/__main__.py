"""`python -m shared.contracts` writes docs/contracts/."""

from shared.contracts import documents

documents.write()
