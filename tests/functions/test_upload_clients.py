"""Real clients at the Upload Service: names and packed bodies arrive as they were meant."""

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.functions.serving import Server

Program = Callable[[str], str]
NAMES = ["naïve 日本.txt", 'say "hi" 100%.txt', r"C:\Users\me\photo.txt"]
KEPT = ["naïve 日本.txt", 'say "hi" 100%.txt', "photo.txt"]
NODE = """
const [url, ...names] = process.argv.slice(1)
const answers = []
for (const name of names) {
  const form = new FormData()
  form.append('file', new Blob(['meow']), name)
  answers.push(await (await fetch(url, { method: 'POST', body: form })).json())
}
const body = new Blob(['meow']).stream().pipeThrough(new CompressionStream('gzip'))
const headers = { 'content-encoding': 'gzip' }
answers.push(await (await fetch(url + 'packed.txt', { method: 'PUT', body, headers, duplex: 'half' })).json())
console.log(JSON.stringify(answers))
"""


def run(*command: str) -> Any:
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def test_curl_is_understood(program: Program, server: Server, tmp_path: Path) -> None:
    packed, url = tmp_path / "packed", f"http://127.0.0.1:{server.port}/"
    packed.write_bytes(gzip.compress(b"meow"))
    for name in NAMES:
        file = tmp_path / name
        file.write_bytes(b"meow")
        run(program("curl"), "-sS", "-F", f"file=@{file}", url)
    run(program("curl"), "-sS", "-T", str(packed), "-H", "Content-Encoding: gzip", f"{url}packed.txt")

    assert server.stored() == dict.fromkeys([*KEPT, "packed.txt"], b"meow")


def test_fetch_is_understood(program: Program, server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/"
    answers = run(program("node"), "--input-type=module", "--eval", NODE, url, *NAMES)

    assert [answer["size"] for answer in answers] == [4] * 4
    assert server.stored() == dict.fromkeys([*KEPT, "packed.txt"], b"meow")
