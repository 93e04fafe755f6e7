# SPDX-License-Identifier: MIT
# Three notaries as one, behind HAProxy, with a Redis Cluster, as doc/examples/cluster sets them up:
# under load, notaries and masters are killed and stopped. No answer is ever wrong, every question is
# answered, if need be when it is asked again, and no history is lost. How long each recovery takes is
# printed.
import json
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True  # the source tree may be read-only
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../integration")]
import clusterlab
from clusterlab import Client, Load, SERVERS, SITE, expect, masters
from lab import isolation
from notarylab import Certificate, Site, Tap
from redislab import until

if clusterlab.missing():
    print(f"1..0 # SKIP {clusterlab.missing()}")
    sys.exit(0)
isolation.enter_or_skip()

tap = Tap()
clusterlab.addresses()
os.mkdir(clusterlab.HOME)
one = Certificate(clusterlab.HOME, "one")
other = Certificate(clusterlab.HOME, "other")
names = [f"site{i}.example" for i in range(40)]
site = Site(one, address=SITE, port=443)
hosts = clusterlab.write(f"{clusterlab.HOME}/hosts", "".join(f"{SITE} {name}\n" for name in names))
servers = clusterlab.make_cluster()
notaries = clusterlab.make_notaries(
    f"hosts = {hosts}\nallow_targets = {SITE}\nuser = root\nprobes_per_minute = 100\n")
front = clusterlab.make_front()
client = Client(clusterlab.CLIENTS[0])
known = {}  # when each name's certificate was first seen, as was told


def first(name, at=clusterlab.FRONT):
    status, body, _ = client.insist(name, one.sha1, at=at)
    expect(status, 200, body)
    entry, = json.loads(body)["fingerprintList"]
    return int(entry["timestamp"]["start"])


def learn(count):
    """Asks for names that nobody has asked for."""
    for name in names[len(known):len(known) + count]:
        known[name] = first(name)


def settled():
    """Every notary reaches the whole store, and the store has all that they know."""
    return all(notary.metric("store_up") == 1 and notary.metric("store_backlog_bytes") < 1000
               for notary in notaries)


def all_agree():
    learn(10)
    for notary in notaries:
        for name in known:
            expect(first(name, notary.address) <= known[name] + 1, True, "younger than was told")
    until("the records are in Redis", lambda: clusterlab.records(SERVERS) >= 10)


def notary_killed():
    load.mark()
    notaries[1].signal(signal.SIGKILL)
    load.goes_on()
    learn(5)
    load.told("one notary killed")
    notaries[1].start()
    load.mark()
    load.goes_on()
    load.told("and started again")


def notary_stopped():
    load.mark()
    notaries[2].signal(signal.SIGSTOP)
    load.goes_on()
    learn(5)
    load.told("one notary stopped")
    notaries[2].signal(signal.SIGCONT)
    until("it is healthy", notaries[2].healthy)
    load.mark()
    load.goes_on()
    load.told("and goes on")


def gone(what, how, back):
    """A master that has slots goes; its replica takes over; it comes back as a replica."""
    asked = SERVERS[0]
    victim = next(one for one in masters(asked) if one != asked)
    load.mark()
    begun = time.monotonic()
    servers[victim].signal(how)
    until("somebody notices", lambda: any(notary.metric("store_up") == 0 for notary in notaries))
    learn(5)
    load.goes_on()
    until("the replica is master", lambda: all(notary.metric("store_up") == 1
                                               for notary in notaries), 60)
    print(f"# {what}: every slot has a master again after {time.monotonic() - begun:.1f} s")
    load.told(what)
    back(servers[victim])
    until("it is a replica", clusterlab.replicated, 60)
    load.mark()
    load.goes_on()
    load.told("and back")


def nothing_lost():
    load.end()
    expect(load.wrong, [])
    print(f"# {load.answers} answers under load, none wrong")
    until("all is in Redis", settled, 200)
    for notary in notaries:
        notary.signal(signal.SIGKILL)
        shutil.rmtree(f"{notary.home}/data")
        notary.start()
    connections = site.connections
    for notary in notaries:
        until("the store is there", lambda: notary.metric("store_up") == 1)
        for name, at in known.items():
            expect(first(name, notary.address) <= at, True, f"{name}: younger than was told")
    expect(site.connections, connections, "from Redis")


def budgets():
    """Each notary lets a client's network cause a hundred probes a minute: whose connections they are
    is what HAProxy says."""
    greedy = Client(clusterlab.GREEDY)
    statuses = []
    for port in range(1000, 1600):
        statuses.append(greedy.ask(names[0], one.sha1, port=port)[0])
        if statuses[-6:] == [429] * 6:  # of all three
            break
    expect(statuses[-6:], [429] * 6)
    for port in range(2000, 2006):
        expect(client.ask(names[0], one.sha1, port=port)[0], 503, "nothing listens there")


def all_end_well():
    for notary in notaries:
        notary.signal(signal.SIGTERM)
        expect(notary.process.returncode, 0, notary.log_tail())


tap.case("three notaries know the same", all_agree)
load = Load(list(known), one.sha1, other.sha1)
tap.case("one notary killed", notary_killed)
tap.case("one notary stopped", notary_stopped)
tap.case("one Redis master killed", lambda: gone(
    "one Redis master killed", signal.SIGKILL, lambda server: server.start()))
tap.case("one Redis master stopped", lambda: gone(
    "one Redis master stopped", signal.SIGSTOP, lambda server: server.signal(signal.SIGCONT)))
tap.case("no answer was wrong, and no history is lost", nothing_lost)
tap.case("a greedy client's budget is its own", budgets)
tap.case("the notaries end", all_end_well)
tap.done()
