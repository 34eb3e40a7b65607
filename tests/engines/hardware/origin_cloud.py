"""OriginQ's cloud as its package speaks to it, played here: python origin_cloud.py PORT-FILE [lose].

Programs are run by CPUQVM from the text that was sent. With "lose" the answer to the first submission is lost. It is a
process of its own, since the package waits for answers without letting other threads of Python run.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from pyqpanda3.core import CPUQVM, QProg

TASKS: list[dict] = []


def submit(request: dict) -> dict:
    TASKS.append(request)
    return {"taskId": f"T{len(TASKS)}"}


def detail(request: dict) -> dict:
    task = TASKS[int(request["taskId"][1:]) - 1]
    shots = task["Configuration"]["shot"]
    counts = []
    for text in task["QProg"]:
        machine = CPUQVM()
        machine.run(QProg(text), shots)
        found = machine.result().get_counts()
        counts.append({hex(int(bits, 2)): count for bits, count in found.items()})
    parts = [json.dumps({"key": list(one), "value": list(one.values())}) for one in counts]
    shares = [json.dumps({"key": list(one), "value": [n / shots for n in one.values()]}) for one in counts]
    return {"taskId": request["taskId"], "taskState": "3", "taskResult": shares, "probCount": parts}


class Cloud(BaseHTTPRequestHandler):
    lose = "lose" in sys.argv[2:]

    def do_GET(self) -> None:
        self.answer({"success": True, "obj": TASKS})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        name = self.path.rsplit("/", 1)[1]
        found = {"submit.json": submit, "taskDetail.json": detail}.get(name, lambda _: [])(request)
        if Cloud.lose and name == "submit.json":
            Cloud.lose = False
            self.answer({"success": False}, status=502)
        else:
            self.answer({"success": True, "code": 0, "message": "", "obj": found})

    def answer(self, content: dict, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Cloud)
    unready = Path(sys.argv[1] + ".unready")
    unready.write_text(str(server.server_address[1]))
    unready.rename(sys.argv[1])
    server.serve_forever()
