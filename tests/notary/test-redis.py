# SPDX-License-Identifier: MIT
# converge-notaryd with its records in a real redis-server: history outlives notaries and is shared
# by them, Redis may go and come back, and nothing that others wrote there is believed.
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from notarylab import NOTARYD, Certificate, Notary, Site, Tap, expect, free_ports
from redislab import Redis, forget, keep_in, metric, missing, same_keys, until

tap = Tap()
if missing():
    print(f"1..0 # SKIP {missing()}")
    sys.exit(0)
directory = tempfile.TemporaryDirectory(prefix="converge-notary-")
one = Certificate(directory.name, "one")
two = Certificate(directory.name, "two")
names = [f"site{i}.example" for i in range(30)]
HOSTS = "".join(f"127.0.0.1 {name}\n" for name in ["site.example", *names])
SETTINGS = "probe_interval = 100ms\nprobe_timeout = 1s\n"


def history(notary, site, name="site.example", wanted=one):
    """Asks version 1; what the notary knows of each certificate: {sha1: (first, last)}."""
    status, body = notary.v1(name, site.port, wanted.sha1)
    expect(status, 200, body)
    return {entry["fingerprint"]: (entry["timestamp"]["start"], entry["timestamp"]["finish"])
            for entry in body["fingerprintList"]}


def first(notary, site, name="site.example"):
    return history(notary, site, name)[one.sha1][0]


class Lab:
    """A Redis, a site, a notary."""

    def __init__(self, redis=None, more=""):
        self.redis = redis or Redis()
        self.site = Site(one)
        self.status_port, = free_ports(1)
        self.notary = Notary(hosts=HOSTS, settings=SETTINGS + "status_listen = 127.0.0.1\n"
                             f"status_port = {self.status_port}\n")
        keep_in(self.notary, f"127.0.0.1:{self.redis.port}", more=more)

    def __enter__(self):
        self.redis.start()
        self.notary.start()
        return self

    def __exit__(self, *_):
        self.notary.__exit__()
        self.redis.__exit__()
        self.site.stop()

    def metric(self, name):
        return metric("127.0.0.1", self.status_port, name)

    def twin(self):
        """Another notary with the same keys, on the same Redis; not started."""
        other = Notary(hosts=HOSTS, settings=SETTINGS)
        same_keys(other, self.notary)
        keep_in(other, f"127.0.0.1:{self.redis.port}")
        return other


def outlives(how):
    with Lab() as lab:
        before = first(lab.notary, lab.site)
        lab.redis.wait_for(1)
        connections = lab.site.connections
        lab.notary.stop(how)
        forget(lab.notary)
        lab.notary.start()
        expect(first(lab.notary, lab.site), before)
        expect(lab.site.connections, connections, "from Redis")


def shared():
    with Lab() as lab, lab.twin() as other:
        before = first(lab.notary, lab.site)
        lab.redis.wait_for(1)
        connections = lab.site.connections
        expect(first(other, lab.site), before)
        expect(lab.site.connections, connections, "from Redis")
        lab.site.use(two)
        seen = history(other, lab.site, wanted=two)
        expect(sorted(seen), sorted([one.sha1, two.sha1]))

        def told_by_both():
            third = lab.twin()
            with third:
                status, body = third.v1("site.example", lab.site.port, two.sha1)
                expect(status, 200)
                return len(body["fingerprintList"]) == 2
        until("both certificates are in Redis", told_by_both)


def change(notary, *arguments):
    """Changes the notary's files, and has it read them."""
    reloads = notary.log_text().count("reloaded")
    subprocess.run([NOTARYD, *arguments, notary.home], check=True, stdout=subprocess.DEVNULL)
    notary.process.send_signal(signal.SIGHUP)
    until("it has reloaded", lambda: notary.log_text().count("reloaded") > reloads)


def keys_change():
    """What was signed before, between and after two changes of keys is believed by the notary that
    began after them, and what it signed after them is so by one that knows the last key only."""
    with Lab() as lab:
        times = {}
        for number, name in enumerate(names[:3]):
            times[name] = first(lab.notary, lab.site, name)
            lab.redis.wait_for(number + 1)
            if number < 2:
                change(lab.notary, "--next-keys")
                change(lab.notary, "--rotate")
        connections = lab.site.connections
        with lab.twin() as other:
            expect(first(other, lab.site, names[2]), times[names[2]])
        expect(lab.site.connections, connections, "signed with the last key")
        lab.notary.stop()
        forget(lab.notary)
        lab.notary.start()
        expect({name: first(lab.notary, lab.site, name) for name in names[:3]}, times)
        expect(lab.site.connections, connections, "from Redis")
        expect(lab.metric("store_rejected_total"), 0)


def goes_and_comes_back():
    with Lab() as lab:
        times = {name: first(lab.notary, lab.site, name) for name in names[:10]}
        lab.redis.wait_for(10)
        lab.redis.stop()
        for name in names[:20]:  # from memory, and by probes
            times.setdefault(name, first(lab.notary, lab.site, name))
        lab.notary.wait_for_log("is away")
        until("the metrics say so", lambda: lab.metric("store_up") == 0 and
              lab.metric("store_backlog_bytes") > 1000)
        lab.redis.start()
        lab.notary.wait_for_log("answers")
        lab.redis.wait_for(20)
        until("the metrics say so", lambda: lab.metric("store_up") == 1)
        lab.notary.stop(signal.SIGKILL)
        forget(lab.notary)
        connections = lab.site.connections
        lab.notary.start()
        expect({name: first(lab.notary, lab.site, name) for name in names[:20]}, times)
        expect(lab.site.connections, connections, "from Redis")


def killed_while_redis_is_away():
    with Lab() as lab:
        lab.redis.stop()
        times = {name: first(lab.notary, lab.site, name) for name in names}
        journal = os.path.join(lab.notary.home, "data")

        def written():
            octets = b""
            for path in glob.glob(os.path.join(journal, "journal.[0-9]*")):
                with open(path, "rb") as file:
                    octets += file.read()
            return all(name.encode() in octets for name in names)
        until("all is in the journal", written)
        lab.notary.stop(signal.SIGKILL)
        connections = lab.site.connections
        lab.notary.start()
        expect({name: first(lab.notary, lab.site, name) for name in names}, times)
        expect(lab.site.connections, connections, "from the journal")
        lab.redis.start()
        lab.redis.wait_for(len(names))


def away_from_the_start():
    redis = Redis()
    lab = Lab(redis)
    try:
        lab.notary.start()
        first(lab.notary, lab.site)
        lab.notary.wait_for_log("is away")
        redis.start()
        redis.wait_for(1)
    finally:
        lab.__exit__()


def stopped():
    """A server that takes connections and says nothing."""
    with Lab() as lab:
        before = first(lab.notary, lab.site)
        lab.redis.wait_for(1)
        lab.redis.process.send_signal(signal.SIGSTOP)
        expect(first(lab.notary, lab.site), before)
        for name in names[:5]:
            first(lab.notary, lab.site, name)
        lab.notary.wait_for_log("does not answer in time")
        lab.redis.process.send_signal(signal.SIGCONT)
        lab.redis.wait_for(6)


def spoiled(spoil):
    with Lab() as lab:
        first(lab.notary, lab.site)
        lab.redis.wait_for(1)
        lab.notary.stop()
        forget(lab.notary)
        spoil(lab.redis)
        connections = lab.site.connections
        lab.notary.start()
        first(lab.notary, lab.site)
        expect(lab.site.connections > connections, True, "looked again")
        expect(lab.metric("store_rejected_total") >= 1, True, "told in the metrics")


def by_script(body):
    def spoil(redis):
        redis.cli("EVAL", f"local key = redis.call('KEYS', '*')[1] "
                          f"local value = redis.call('GET', key) {body}", "0")
    return spoil


def refused(extra, login, more, text):
    redis = Redis(extra, login)
    lab = Lab(redis, more)
    with open(os.path.join(lab.notary.home, "password"), "w", encoding="ascii") as file:
        file.write("falsch\n")
    os.chmod(file.name, 0o600)
    with lab:
        first(lab.notary, lab.site)
        lab.notary.wait_for_log(text)
        expect(redis.count(), 0)


def logged_in(more):
    redis = Redis("requirepass geheim\nuser notary on >geheim ~converge/* -@all +ping +getrange "
                  "+eval +evalsha +set +del +cluster|slots", ("--no-auth-warning", "-a", "geheim"))
    lab = Lab(redis, more)
    keep_in(lab.notary, f"localhost:{redis.port}", more=more)  # a name, of two addresses
    with open(os.path.join(lab.notary.home, "password"), "w", encoding="ascii") as file:
        file.write("geheim\n")
    os.chmod(file.name, 0o600)
    with lab:
        before = first(lab.notary, lab.site)
        redis.wait_for(1)
        lab.notary.stop()
        forget(lab.notary)
        connections = lab.site.connections
        lab.notary.start()
        expect(first(lab.notary, lab.site), before)
        expect(lab.site.connections, connections, "from Redis")


def through_stunnel():
    """The example, with addresses and places of the test's own."""
    name = "redis-1.internal"
    server = Certificate(directory.name, name)
    tls_port, near = free_ports(2)
    redis = Redis(f"tls-port {tls_port}\ntls-cert-file {server.crt}\ntls-key-file {server.key}\n"
                  f"tls-ca-cert-file {server.crt}\ntls-auth-clients no")
    with open(os.path.join(HERE, "../../doc/examples/cluster/stunnel.conf"),
              encoding="ascii") as file:
        text = file.read()
    for old, new in (("127.0.1.21:6380", f"127.0.0.1:{near}"),
                     ("192.0.2.21:6380", f"127.0.0.1:{tls_port}"),
                     ("/etc/converge/redis-ca.crt", server.crt)):
        expect(old in text, True, f"the example says {old}")
        text = text.replace(old, new)
    config = os.path.join(directory.name, "stunnel.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(text)
    lab = Lab(redis)
    keep_in(lab.notary, f"127.0.0.1:{near}")
    with open(os.path.join(directory.name, "stunnel.log"), "wb") as log:
        stunnel = subprocess.Popen(["stunnel", config], stdout=log, stderr=log)
    try:
        with lab:
            first(lab.notary, lab.site)
            redis.wait_for(1)
            until("the store is up", lambda: lab.metric("store_up") == 1)
    finally:
        stunnel.terminate()
        stunnel.wait(timeout=20)


PASSWORD = ("requirepass geheim", ("--no-auth-warning", "-a", "geheim"))
tap.case("history outlives a notary that ends", lambda: outlives(signal.SIGTERM))
tap.case("history outlives a notary that is killed", lambda: outlives(signal.SIGKILL))
tap.case("two notaries on one Redis share their history", shared)
tap.case("history outlives two changes of the signing key, and a restart", keys_change)
tap.case("Redis is killed and comes back: nothing is lost", goes_and_comes_back)
tap.case("the notary is killed while Redis is away: nothing is lost", killed_while_redis_is_away)
tap.case("Redis is away from the start", away_from_the_start)
tap.case("Redis is stopped, and goes on", stopped)
tap.case("a changed octet is not believed", lambda: spoiled(by_script(
    "redis.call('SET', key, value:sub(1, -2) .. string.char((value:byte(-1) + 1) % 256))")))
tap.case("a truncated record is not believed", lambda: spoiled(by_script(
    "redis.call('SET', key, value:sub(1, -9))")))
tap.case("rubbish is not believed", lambda: spoiled(by_script("redis.call('SET', key, 'rubbish')")))
tap.case("a list instead of a record is not believed", lambda: spoiled(by_script(
    "redis.call('DEL', key) redis.call('RPUSH', key, value)")))
tap.case("a wrong password is told", lambda: refused(
    *PASSWORD, "redis_password = password\n", "it refuses redis_user or redis_password: WRONGPASS"))
tap.case("a missing password is told", lambda: refused(
    *PASSWORD, "", "it refuses a client without redis_password: NOAUTH"))
tap.case("a password", lambda: logged_in("redis_password = password\n"))
tap.case("a user with no more rights than it needs", lambda: logged_in(
    "redis_user = notary\nredis_password = password\n"))
if shutil.which("stunnel") is None:
    tap.skip("Redis over TLS, through stunnel", "stunnel is not installed")
else:
    tap.case("Redis over TLS, through stunnel", through_stunnel)
tap.done()
