# SPDX-License-Identifier: MIT
"""The accept loop of the tests' servers: a thread for each connection, until it is stopped."""
import socket
import threading


class Listener:
    """Listens on loopback and calls serve(connection) in a thread of its own for each that comes.
    port: 0 is one of the kernel's choice; it is in .port afterwards. The one who serves closes the
    connection; .accepted counts them."""

    def __init__(self, serve, address="127.0.0.1", port=0, backlog=1024):
        self.serve = serve
        self.accepted = 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, port), family=family, backlog=backlog)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def stop(self):
        """Accepts no more; what was accepted goes on."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
