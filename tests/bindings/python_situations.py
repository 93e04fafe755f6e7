# SPDX-License-Identifier: MIT
"""The package for Python where others go on meanwhile: threads, asyncio, fork, multiprocessing. The
fake notaries are threads of this very process: a call that held the interpreter's lock would hear
nothing from them."""
import asyncio
import concurrent.futures
import multiprocessing
import os
import socket
import ssl
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import converge
from conformance_world import HOST, PAGE, Cast, World
from notarylab import Tap, expect

GOOD, BAD = 0, 28
THREADS, ROUNDS = 12, 5


def worker(fingerprint):
    """What a child process asks."""
    return converge.check(HOST, 443, fingerprint).code


class Situations:
    def __init__(self, cast):
        self.cast = cast
        self.good, self.bad = cast.site.sha256.hex(), cast.other.sha256.hex()

    def codes(self, pool_map):
        wanted = [GOOD, BAD] * THREADS
        expect(list(pool_map(worker, [self.good, self.bad] * THREADS)), wanted)

    def lock_let_go(self):
        expect(worker(self.good), GOOD)

    def threads(self):
        wrong = []

        def ask(number):
            fingerprint, wanted = ((self.good, GOOD), (self.bad, BAD))[number % 2]
            for _ in range(ROUNDS):
                result = converge.check(HOST, 443, fingerprint)
                if result.code != wanted or converge.converge(HOST, 443, fingerprint) != wanted:
                    wrong.append(result)
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(wrong, [])

    def thread_pool(self):
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            self.codes(pool.map)

    def fork(self):
        """While another thread is in a call."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            busy = pool.submit(lambda: [worker(self.good) for _ in range(ROUNDS)])
            for fingerprint, wanted in ((self.good, GOOD), (self.bad, BAD)):
                child = os.fork()
                if child == 0:
                    try:
                        os._exit(worker(fingerprint))
                    finally:
                        os._exit(99)
                expect(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), wanted)
            expect(busy.result(), [GOOD] * ROUNDS)

    def processes(self, method):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            self.codes(pool.map)
            refused = pool.submit(converge.verify, HOST, 443, self.bad).exception()
        expect(type(refused), converge.CertificateRefused)
        expect(refused.result.verdict, "disagree")

    def many_tasks(self):
        async def ask():
            return await asyncio.gather(*(converge.check_async(HOST, 443, fingerprint)
                                          for fingerprint in [self.good, self.bad] * THREADS))
        expect([result.code for result in asyncio.run(ask())], [GOOD, BAD] * THREADS)

    def refused_task(self):
        try:
            asyncio.run(converge.verify_async(HOST, 443, self.bad))
        except converge.CertificateRefused as refused:
            expect(refused.result.code, BAD)
        else:
            raise AssertionError("it was not refused")

    def cancelled_task(self):
        """Ends at once, though nobody answers: only afterwards they are let go."""
        async def ask():
            task = asyncio.create_task(converge.check_async(HOST, 443, self.good, timeout=60))
            while self.cast.notaries["mute"].notary.requests == 0:
                await asyncio.sleep(0.01)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return True
            finally:
                self.cast.notaries["mute"].notary.gate.set()
                self.cast.notaries["dumb"].notary.gate.set()
        assert asyncio.run(ask())

    # ssl

    def context(self):
        return ssl.create_default_context(cafile=self.cast.site.pem)

    def wrapped(self, context, name=HOST):
        plain = socket.create_connection(("127.0.0.1", self.cast.server.port), timeout=30)
        return context.wrap_socket(plain, server_hostname=name)

    def vouched_for_by_nobody(self, context, name, host):
        """Refused, since it is exempt and PKI was not asked about it."""
        with self.wrapped(context, name) as tls:
            try:
                result = converge.verify_socket(tls, host=host)
            except converge.CertificateRefused as refused:
                expect(refused.result.verdict, "exempt")
            else:
                raise AssertionError(f"accepted: {result}")

    def tls_socket(self):
        with self.wrapped(self.context()) as tls:
            result = converge.verify_socket(tls)
            expect((result.code, result.verdict), (GOOD, "agree"))
            tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while octets := tls.recv(65536):
                last = octets
            assert last.endswith(PAGE)

    def tls_socket_refused(self):
        with self.wrapped(self.context()) as tls:
            try:
                converge.verify_socket(tls)
            except ssl.SSLCertVerificationError as refused:
                expect(refused.verify_code, BAD)
            else:
                raise AssertionError("it was not refused")

    def exempt(self):
        """Its own check of chain and name counts; where there was none, or of another name, nobody
        vouches."""
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        with self.wrapped(self.context(), "127.0.0.1") as tls:
            expect(converge.verify_socket(tls).verdict, "exempt")
            expect(converge.verify_socket(tls, host="127.0.0.1").verdict, "exempt")
        self.vouched_for_by_nobody(unchecked, "127.0.0.1", None)
        self.vouched_for_by_nobody(self.context(), HOST, "localhost")

    def tls_object(self):
        """asyncio's connections are of this kind."""
        async def ask():
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.cast.server.port, ssl=self.context(), server_hostname=HOST)
            tls = writer.get_extra_info("ssl_object")
            expect(type(tls), ssl.SSLObject)
            port = writer.get_extra_info("peername")[1]
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(
                None, lambda: converge.verify_socket(tls, port=port))
            writer.close()
            return result.code
        expect(asyncio.run(ask()), GOOD)


class Setting:
    """One world as this process's installation."""

    def __init__(self, cast, *notaries):
        self.world = World(cast, notaries, {}, True)

    def __enter__(self):
        os.environ.update(self.world.environment(None))

    def __exit__(self, *_):
        self.world.close()


def main():
    tap, cast = Tap(), Cast()
    here = Situations(cast)
    with Setting(cast, "friend", "buddy"):
        tap.case("others go on during a call", here.lock_let_go)
        tap.case("many threads", here.threads)
        tap.case("a pool of threads", here.thread_pool)
        tap.case("fork beside a thread in a call", here.fork)
        tap.case("a pool of processes, forked", lambda: here.processes("fork"))
        tap.case("a pool of processes, spawned", lambda: here.processes("spawn"))
        tap.case("many tasks of asyncio", here.many_tasks)
        tap.case("a refused task", here.refused_task)
        tap.case("an SSLSocket", here.tls_socket)
        tap.case("an SSLObject of asyncio", here.tls_object)
        tap.case("a socket with an exempt host", here.exempt)
    with Setting(cast, "liar", "perjurer"):
        tap.case("an SSLSocket with another certificate", here.tls_socket_refused)
    with Setting(cast, "mute", "dumb"):
        tap.case("a cancelled task", here.cancelled_task)
    cast.close()
    tap.done()


if __name__ == "__main__":
    main()
