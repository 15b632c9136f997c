"""The contracts with clients and subscribers; `python -m shared.contracts` writes them into docs/contracts/.

schemas            builders of JSON Schema, by hand and from the nouns of `shared.model`
nouns              ids, file, recipe, output, result: shared by notices and answers
notices · topic    the data and attributes of both notices · AsyncAPI of their topic and of webhooks
openapi · errors   the parts that the documents of all services share · the refusals, from docs/http-api.md
uploads · status   OpenAPI of the doors · of the status service, whose answers are in `states`
documents          every file, by its name
"""
