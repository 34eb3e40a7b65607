"""`python -m docs.site`: build the site into build/docs; `--serve` shows it on this machine's own address."""

from __future__ import annotations

import argparse
import http.server
import sys
from functools import partial
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from docs.site.assemble import ROOT, assemble

OUT = ROOT / "build" / "docs"


def build(out: Path, warnings_fail: bool = True) -> int:
    """Put the pages together and build them.

    Returns:
        0, or another number where there was any warning or dead link.
    """
    faults = assemble(out / "source")
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    options = ["--fail-on-warning", "--keep-going"] if warnings_fail else []
    code = sphinx(["-q", *options, "-b", "html", "-c", str(ROOT / "docs" / "site"), "-d", str(out / "cache"),
                   str(out / "source"), str(out / "html")])  # fmt: skip
    return code or int(bool(faults))


def serve(folder: Path, port: int) -> None:
    """Show a folder until Ctrl-C, to this machine alone."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for it")
    parser.add_argument("--serve", action="store_true", help="show it afterwards")
    parser.add_argument("--port", type=int, default=8001)
    asked = parser.parse_args()
    out = asked.out.resolve()
    code = build(out)
    print(f"{out / 'html' / 'index.html'}" if code == 0 else "the site has faults, see above")
    if asked.serve and code == 0:
        serve(out / "html", asked.port)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
