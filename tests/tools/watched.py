# SPDX-License-Identifier: MIT
"""An agent that is watched: what it has to tell, and when, is the test's."""
import json
import os
import socket


def entry(host, action="accept", verdict="agree", program="curl"):
    return {"source": "recent", "time_s": 1700000000, "host": host, "port": 443, "sha256": "",
            "verdict": verdict, "action": action, "reason": "vote", "text": "", "program": program,
            "pid": 7, "uid": 0, "elapsed_ms": 12,
            "votes": [{"notary": "alpha", "answer": "yes", "elapsed_ms": 11, "bounced": False,
                       "error": ""}]}


class Agent:
    """Answers one watch, with what it is told to say and when."""

    def __init__(self, installation):
        os.makedirs(installation.path("run"), 0o700, exist_ok=True)
        self.path = installation.path("run", "agent.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.listener.settimeout(20)

    def accept(self):
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(20)
        self.request = self.peer.recv(65536)[6:14]

    def say(self, *entries):
        for one in entries:
            text = json.dumps({"ok": True, "entry": one}).encode()
            self.peer.send(b"CVGA\x01\x04" + self.request + b"\x01" + text)

    def close(self):
        self.peer.close()
        self.listener.close()
