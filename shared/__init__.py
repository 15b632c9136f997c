"""The library of all functions. Start at `pipeline`, the life of a file in order.

story        pipeline: receive · dispatch · process
             model (the nouns) · routes (pipeline.toml → tasks) · ledger (manifests) · events (notifications and notices)
doors        intake (posted files) · signed_upload (the issuer) · cors (for pages) · naming · media · status (receipts)
             callers (who calls, with which key) · idempotency (what keys lead to) · pages (of other origins)
operators    operations (one engine for the command line and the console) · index (ended jobs, claims) · progress (of a run)
             task_numbers (the names under which its tasks may wait)
             sweep_part, backfill_page (calls of the sweeper, which are `operations.sweep` and `.backfill_pages`)
             console (the pages) · findings (facts as people read them, for pages and terminals)
platform     web (HTTP answers) · pace (of bodies) · identity (callers' tokens) · settings · errors (the tree of failures) · log
             cloud (the only package that calls Google; `cloud.protocols` is what the rest sees of it)
processors   processors (the registry and the processors) · sandbox, outside (run one) · source, assets, stems (its files)
             extraction, members (files out of archives) · attempts, lifecycle (notes of each step's attempts, and their age)
webhooks     webhooks (notices, posted to URLs of the operator's choice: the notifier)
docs         contracts (OpenAPI, AsyncAPI and JSON Schemas; no function loads it)
tests        testing (the cloud in memory, and `run_processor`) · testing_queues (its queues and topics)
"""
