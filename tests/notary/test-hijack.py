# SPDX-License-Identifier: MIT
# A target that shows a false certificate for a moment: who asks then is fooled, as everybody would
# be; nobody is afterwards. In memory and after a restart, whatever key the certificate has.
import os
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notarylab import Certificate, Notary, Site, Tap, current, expect

HOSTS = "127.0.0.1 site.example\n"

tap = Tap()
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
true = Certificate(directory.name, "true")


def hijack(kind):
    false = Certificate(directory.name, f"false-{kind}", kind)
    site = Site(true)

    def ask(notary, certificate):
        return notary.v1("site.example", site.port, certificate.sha1)[0]

    with Notary(hosts=HOSTS, settings="probe_interval = 100ms\n") as notary:
        expect(ask(notary, true), 200)
        site.use(false)
        expect(ask(notary, false), 200, "during the hijack")
        site.use(true)
        expect(ask(notary, true), 200, "who sees the true one")
        for _ in range(3):
            for _ in range(4):
                expect(ask(notary, false), 409, "afterwards")
            statement = notary.v2(("site.example", site.port, false.sha256))[0]
            expect(current(statement), [true.sha256])
            notary.stop()
            notary.start()
    site.stop()


tap.case("a false certificate with the same kind of key", lambda: hijack("ec"))
tap.case("a false certificate with another kind of key", lambda: hijack("rsa"))
tap.done()
