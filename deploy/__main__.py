"""The commands of deploy.sh, which starts this in the project's root with its list as file descriptor 3."""

import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

from deploy import capacity, checks, gcloud, kept, left, queues, sources, webhooks
from deploy.alone import alone
from deploy.command_line import parse
from deploy.deployment import Deployment
from deploy.doctor import doctor
from deploy.down import down
from deploy.env import env
from deploy.errors import Failed
from deploy.everything import everything
from deploy.listing import Listing
from deploy.options import Options
from deploy.reading import read_state
from deploy.running import Runner, running
from deploy.status import console, status
from deploy.verify import deployed_system, local_system, verify

PIPELINE = Path("pipeline.toml")


def main() -> int:
    """Run one command; its status is 0, that of what failed, or 130 after Ctrl-C."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        options = parse(sys.argv[1:], Path(os.environ.get("CALLER", "")))
        if options.command == "verify":
            verify(local_system() if options.local else deployed_system(_prepared(_placed(options))))
        elif options.command == "env":
            env(_prepared(_placed(options)))
        else:
            _run(_placed(options))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(2, b"stopping; what has begun is ended first\n")
    raise KeyboardInterrupt


def _run(options: Options) -> None:
    command, folder = options.command, _folder(options)
    with alone(options, folder):
        deployment = _prepared(options)
        read_state(deployment)
        webhooks.require_secrets(deployment)
        checks.require_secret(deployment)
        kept.confirm(deployment)
        queues.hold(deployment)
        _warn(deployment)
        if command == "status":
            status(deployment)
        elif command == "doctor":
            doctor(deployment)
        elif command == "plan":
            runner = Runner(None, sys.stdout)
            everything(deployment, runner)
            _summarize(command, runner.count)
        else:
            with running() as runner:
                (everything if command == "up" else down)(deployment, runner)
            _summarize(command, runner.count)
            if command == "up":
                print(console(deployment))


def _warn(deployment: Deployment) -> None:
    """Print what is no fault that `up` could mend, before the commands that change the services or show them."""
    if deployment.options.command in ("plan", "up"):
        kept.announce(deployment)
    if deployment.options.command in ("plan", "up", "status"):
        left.warn(deployment)
        if not capacity.fits_a_new_project(capacity.total(deployment.listing)):
            print(f"note: {capacity.note(deployment.listing)}", file=sys.stderr, flush=True)


def _summarize(command: str, count: int) -> None:
    if not count:
        print(f"0 changes: {'nothing is left to remove' if command == 'down' else 'everything is as it should be'}.")
    elif command == "plan":
        print(f"\n{count} commands; ./deploy.sh up would run them, nothing was changed.")
    else:
        print(f"\n{count} changes, done.")


def _placed(options: Options) -> Options:
    """The options with their project, and pipeline.toml, checked as far as nothing has to be read."""
    options = replace(options, project=options.project or os.environ.get("CLOUDSDK_CORE_PROJECT") or _gclouds_project())
    options.check_values()
    if "max_file_bytes" in options.given:
        capacity.read(PIPELINE, int(options.max_file_bytes))
    else:
        capacity.load(PIPELINE)
    _require_gcloud()
    os.environ.update(CLOUDSDK_CORE_PROJECT=options.project, CLOUDSDK_CORE_DISABLE_PROMPTS="1")
    return options


def _prepared(given: Options) -> Deployment:
    """The deployment that these options and those of the last `up` describe, checked; its state is not read yet."""
    found = kept.read(given)
    options = kept.merged(given, found or {})
    options.check()
    routes = capacity.read(PIPELINE, int(options.max_file_bytes))
    with open(3) as file:
        listing = Listing(file.read(), options.variables(), routes.pools, has_webhooks=bool(routes.webhooks))
    tag = sources.tag(options.extras, options.base_image)
    deployment = Deployment(options, listing, routes, _folder(options), tag, kept=found)
    webhooks.check(deployment)
    if options.command in ("plan", "up"):
        checks.check(deployment)
    return deployment


def _folder(options: Options) -> Path:
    return Path(os.environ.get("DEPLOY_FOLDER") or f".deploy/{options.project}-{options.prefix}")


def _gclouds_project() -> str:
    _require_gcloud()
    project = gcloud.call(["config", "get-value", "project"]).stdout.strip()
    if not project:
        raise Failed("which project? --project ID")
    return project


def _require_gcloud() -> None:
    if not shutil.which("gcloud"):
        raise Failed("gcloud is not installed: https://cloud.google.com/sdk/docs/install")


if __name__ == "__main__":
    sys.exit(main())
