"""The keys of pipeline.toml. The check, the JSON Schema and the test of docs/settings.md read these tables."""

import re
from typing import get_args

from shared import media
from shared.model import Verdict
from shared.routes.kinds import (
    SCALAR,
    Key,
    choice,
    choices,
    flag,
    is_exact,
    is_scalar,
    memory,
    number,
    or_list,
    required,
    table,
    text,
    texts,
    values,
    whole,
)

#: Two to 21 characters of what Google allows in the names of services; one character is a name too.
POOL_NAME = "[a-z]([a-z0-9-]{0,19}[a-z0-9])?"
QUEUE_NAME = "[a-z][a-z0-9-]{0,40}"
STEP_NAME = "[a-z][a-z0-9-]{0,30}"
WEBHOOK_NAME = "[a-z][a-z0-9-]{0,30}"
#: A variable of the notifier, or a secret of the project (Secret Manager: at most 255 characters).
SECRET_REFERENCE = "env:SLUICE_SECRET_[A-Z0-9_]{1,80}|secret-manager:[A-Za-z0-9_-]{1,255}"  # noqa: S105  (no secret)
#: Limit of an object in Cloud Storage: 5 TiB.
MAX_OBJECT_BYTES = 5 << 40
#: Part of a pool's deadline for all of a delivery but its steps; a task's dispatch_deadline is later by as much.
END_SECONDS = 30
#: Cloud Tasks waits at most 30 minutes for an answer.
MAX_DEADLINE_SECONDS = 1800 - END_SECONDS
#: Cloud Run: most requests at once to one instance, and most instances of a service.
MAX_CONCURRENCY = MAX_INSTANCES = 1000
#: CPUs of an instance → least and most mebibytes of its memory, as Cloud Run has them (second generation).
MEBIBYTES = {1: (512, 4096), 2: (512, 8192), 4: (2048, 16_384), 6: (4096, 24_576), 8: (4096, 32_768)}
#: A token, alone or with a value (RFC 9111 §5.2).
_DIRECTIVE = r"""[\w!#$%&'*+.^`|~-]+(=([\w!#$%&'*+.^`|~-]+|"[^"\\]*"))?"""
CACHE_CONTROL = rf"(?=[ -~]{{1,256}}$){_DIRECTIVE}( *, *{_DIRECTIVE})*"
VERDICTS: tuple[str, ...] = get_args(Verdict)
#: The tests of a condition.
TESTS = ("is", "in", "min", "max")

TOP = {
    "pools": table("services of the processor by name; without it, one named `default`", "write a table [pools.<name>]"),
    "queues": required(table("Cloud Tasks queues by name", "write a table [queues.<name>]")),
    "steps": required(table("uses of processors by name", "write a table [steps.<name>]")),
    "routes": required(
        values("files and their steps", "write [[routes]] with content_type, name and steps", lambda _: True, {})
    ),
    "webhooks": table("receivers of notices by name", "write a table [webhooks.<name>]"),
}

POOL = {
    "cpu": required(choice("CPUs of an instance", *MEBIBYTES)),
    "memory": required(memory("memory of an instance; `/tmp` is part of it")),
    "concurrency": required(whole("deliveries of an instance at the same time", 1, MAX_CONCURRENCY)),
    "max_instances": required(whole("most instances at the same time", 1, MAX_INSTANCES)),
    "deadline_seconds": required(
        whole("time limit of a delivery; its steps together have 30 seconds less", END_SECONDS + 1, MAX_DEADLINE_SECONDS)
    ),
}

QUEUE = {
    "pool": text("the pool that its tasks are sent to", "write one of {pools}", names="pools"),
    "max_dispatches_per_second": required(number("rate at which tasks leave the queue", 0.001, 500)),
    "max_concurrent_dispatches": required(whole("tasks processed at the same time", 1, 5000)),
    "attempts": required(whole("attempts of each step; then its verdict is `dead`", 1, 99)),
    "min_backoff_seconds": required(number("first pause between attempts; each next one is twice as long", 0.1, 3600)),
    "max_backoff_seconds": required(number("longest pause between attempts", 0.1, 3600)),
}

STEP = {
    "processor": required(text("name of a processor", "write one of {processors}")),
    "queue": required(text("the queue its task waits in", "write one of {queues}", names="queues")),
    "options": Key("the processor's options", lambda _: True, "", {"type": "object"}),
    "after": texts("steps that have to succeed first", "list steps of {steps}", names="steps"),
    "input": text(
        "`<step>/<output>`: an output of a step in `after` in place of the original file",
        "write `<step>/<output>` such as `pages/1.png`",
        lambda value: all(value.partition("/")),
        pattern=f"^{STEP_NAME}/.",
    ),
    "when": table("a test of a fact; if it is false, the step is `skipped`", "write { step = …, fact = …, is = … }"),
    "memory": memory("most memory that one run may take"),
    "seconds": whole("most seconds of wall time that one run may take", 1, MAX_DEADLINE_SECONDS),
    "output_bytes": whole("most bytes of its outputs together", 1, MAX_OBJECT_BYTES),
    "cache_control": text(
        "the outputs' `Cache-Control`, such as `public, max-age=31536000`",
        "write directives such as `public, max-age=31536000`, of at most 256 characters",
        lambda value: re.fullmatch(CACHE_CONTROL, value) is not None,
        pattern=f"^{CACHE_CONTROL}$",
    ),
    "copy_metadata": flag(
        "whether the outputs' objects have the file's custom metadata, but for keys that begin with `sluice-`"
    ),
    "per_file": texts("options that a file's metadata `sluice-<step>-<option>` may set", "list names of its options"),
}

WHEN = {
    "step": required(text("a step that comes before, or `file`", "write a step that comes before, or `file`")),
    "fact": required(text("name of one of its facts; `page.width` is `width` in `page`", "write a name such as `width_px`")),
    "is": Key("true for a fact equal to this", is_scalar, "write text, a number, true or false", SCALAR),
    "in": values("true for a fact equal to one of these", "list texts, numbers, true or false", is_scalar, SCALAR),
    "min": Key("true for a number of at least this", is_exact, "write a number", {"type": "number"}),
    "max": Key("true for a number of at most this", is_exact, "write a number", {"type": "number"}),
}

ROUTE = {
    "content_type": required(
        or_list(
            text(
                "`image/*`, `application/pdf`, `*/*`, or a list of such types",
                "write `image/*`, `application/pdf` or `*/*`, or a list of such types",
                media.is_pattern,
                pattern=r"^[^A-Z/;\s]+/[^A-Z/;\s]+$",
            )
        )
    ),
    "name": required(
        or_list(
            text(
                "a pattern over the object's name, or a list of such: `*` stops at a slash, `**` does not, `?` is one character",
                "write a pattern such as `**` or `invoices/*.pdf`, or a list of such patterns",
            )
        )
    ),
    "steps": required(
        texts("steps of the files that match; those in `after` are added", "list at least one of {steps}", 1, "steps")
    ),
    "queue": text("replaces the queue of these steps and of those before them", "write one of {queues}", names="queues"),
    "metadata": table(
        "keys and values that the file's custom metadata must have",
        'write { key = "value" }',
        text("", "", lambda _: True, pattern=""),
    ),
    "max_bytes": whole("largest file that matches", 1, MAX_OBJECT_BYTES),
    "on_request": flag("whether a file takes only the steps that its metadata `sluice-steps` names"),
    "by_bytes": flag("whether a file's first bytes decide its content type at every door"),
}

WEBHOOK = {
    "url": required(
        text(
            "where its notices are posted: https, a public address",
            "write a URL such as `https://orders.example.com/sluice`",
            pattern="^https?://",
        )
    ),
    "secret": required(
        text(
            "where its signing secret is: `secret-manager:<secret>`, or `env:SLUICE_SECRET_<name>` for a variable of the notifier",
            "write `secret-manager:` with the name of a secret, or `env:SLUICE_SECRET_` and more of a variable's name",
            lambda value: re.fullmatch(SECRET_REFERENCE, value) is not None,
            pattern=f"^({SECRET_REFERENCE})$",
        )
    ),
    "notices": choices("kinds of notices that it gets", "job", "step"),
    "verdicts": choices("verdicts whose notices it gets", *VERDICTS),
}
