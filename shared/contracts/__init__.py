"""The contracts with clients and subscribers; `python -m shared.contracts` writes them into docs/contracts/.

schemas      builders of JSON Schema, by hand and from the nouns of `shared.model`
nouns        ids, file, recipe, output, result: shared by notices and answers
notices      the data and attributes of both notices
documents    every file, by its name
"""
