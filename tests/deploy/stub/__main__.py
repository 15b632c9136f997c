"""Run the stub by hand until Ctrl-C: `eval` its output in another shell, then call gcloud or deploy.sh there."""

import argparse
import sys
import threading
from pathlib import Path

from tests.deploy.stub.proxy import Stub, environment, serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.stub", description=__doc__)
    parser.add_argument("--port", type=int, default=9900)
    parser.add_argument(
        "--folder", type=Path, default=Path("/tmp/sluice-stub"), help="certificates, requests.jsonl, gcloud's configuration"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with serving(Stub(arguments.folder), arguments.port) as stub:
        lines = [f"export {name}={value}" for name, value in environment(stub).items()]
        lines.append("unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY all_proxy ALL_PROXY")
        (arguments.folder / "env").write_text("\n".join(lines) + "\n")
        lines.append(
            f"# {arguments.folder}/env holds the same; curl http://127.0.0.1:{stub.port}/help lists the rest; Ctrl-C ends it"
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
