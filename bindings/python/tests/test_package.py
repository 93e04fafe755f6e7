# SPDX-License-Identifier: MIT
"""What holds without any notary: types, limits, and what a fault looks like. Needs libconverge.so.0
only; the installation it finds is an empty one of its own."""
import asyncio
import copy
import dataclasses
import os
import pickle
import ssl
import tempfile
import unittest
from unittest import mock

import converge
from converge import _check
from converge._library import library

SHA1 = "00" * 20
HOST = "site.converge-lab.org"


class Refusing:
    """The library, but that one of its setters takes nothing."""

    def __init__(self, setter):
        self.setter = setter

    def __getattr__(self, name):
        return (lambda *_: -1) if name == self.setter else getattr(library, name)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        before = os.environ.get("CONVERGE_CONFIG_DIR")
        os.environ["CONVERGE_CONFIG_DIR"] = self.directory.name
        self.addCleanup(self.restore, before)

    @staticmethod
    def restore(before):
        if before is None:
            del os.environ["CONVERGE_CONFIG_DIR"]
        else:
            os.environ["CONVERGE_CONFIG_DIR"] = before

    def check(self, host=HOST, port=443, fingerprint=SHA1, **options):
        return converge.check(host, port, fingerprint, start_agent=False, **options)


class Arguments(Case):
    def test_a_nul_is_never_the_end_of_a_string(self):
        for call in (converge.converge, converge.check, converge.verify):
            with self.assertRaises(ValueError):
                call(HOST + "\0.evil.example", 443, SHA1)
            with self.assertRaises(ValueError):
                call(HOST, 443, SHA1 + "\0")

    def test_half_a_character_is_no_host(self):
        with self.assertRaises(ValueError):
            converge.converge("\ud800.example.org", 443, SHA1)

    def test_types(self):
        for host, port, fingerprint in ((b"a", 443, SHA1), (None, 443, SHA1), (HOST, "443", SHA1),
                                        (HOST, 443.0, SHA1), (HOST, None, SHA1),
                                        (HOST, 443, SHA1.encode()), (HOST, 443, 0)):
            with self.subTest(host=host, port=port, fingerprint=fingerprint):
                with self.assertRaises(TypeError):
                    converge.converge(host, port, fingerprint)
                with self.assertRaises(TypeError):
                    converge.check(host, port, fingerprint)

    def test_a_port_is_never_cut_to_fit(self):
        for port in (0, -1, 65536, 2**31, 2**32 + 443, 2**64 + 443, -2**63, 10**100):
            with self.subTest(port=port):
                self.assertEqual(converge.converge(HOST, port, SHA1), 1)
                self.assertEqual(self.check(port=port).reason, "bad-question")

    def test_timeouts(self):
        for timeout in (0, 0.09, 60.1, -1, float("nan"), float("inf"), 10**30):
            with self.subTest(timeout=timeout):
                with self.assertRaises(ValueError):
                    self.check(timeout=timeout)
        with self.assertRaises(TypeError):
            self.check(timeout="2")
        for timeout in (0.1, 1, 60):
            self.assertEqual(self.check(timeout=timeout).code, 50)

    def test_certificates(self):
        for certificate in (b"", b"x" * 65537):
            with self.assertRaises(ValueError):
                self.check(certificate=certificate)
        for certificate in ("text", 5, [1, 2]):
            with self.assertRaises(TypeError):
                self.check(certificate=certificate)
        with self.assertRaisesRegex(ValueError, "PEM_cert_to_DER_cert"):
            self.check(certificate=b"-----BEGIN CERTIFICATE-----\n")
        for certificate in (b"0" * 65536, bytearray(b"0"), memoryview(b"00")[::2]):
            self.assertEqual(self.check(fingerprint=None, certificate=certificate).code, 50)

    def test_pki_results(self):
        for value in (-1, 2**31, 2**32):
            with self.assertRaises(ValueError):
                self.check(pki_result=value)
        with self.assertRaises(TypeError):
            self.check(pki_result="0")

    def test_what_the_library_does_not_take_is_not_left_out(self):
        for name, value in (("timeout", 1), ("pki_result", 20), ("start_agent", True)):
            setter = "converge_options_set_" + {"timeout": "timeout_ms"}.get(name, name)
            with mock.patch.object(_check, "library", Refusing(setter)):
                with self.subTest(name), self.assertRaisesRegex(ValueError, name):
                    converge.check(HOST, 443, SHA1, **{name: value})


class Results(Case):
    def test_without_an_agent(self):
        result = self.check(pki_result=0)
        self.assertEqual((result.code, result.verdict, result.action, result.reason),
                         (50, "none", "refuse", "no-agent"))
        self.assertTrue(result.text)
        self.assertFalse(result)
        self.assertFalse(result.ok)
        self.assertEqual(result.votes, ())

    def test_they_are_values(self):
        vote = converge.Vote("alpha", "yes", 3)
        result = converge.Result(0, "agree", "accept", "vote", "", 3, (vote,))
        self.assertTrue(result)
        self.assertEqual(result, copy.deepcopy(result))
        self.assertEqual(result, pickle.loads(pickle.dumps(result)))
        self.assertEqual(len({result, copy.copy(result)}), 1)
        for target, field in ((result, "code"), (vote, "answer")):
            with self.assertRaises(dataclasses.FrozenInstanceError):
                setattr(target, field, 0)

    def test_the_exception(self):
        with self.assertRaises(converge.CertificateRefused) as caught:
            converge.verify(HOST, 443, "AA", start_agent=False)
        refused = caught.exception
        self.assertIsInstance(refused, ssl.SSLCertVerificationError)
        self.assertIsInstance(refused, ssl.SSLError)
        self.assertIsInstance(refused, OSError)
        self.assertEqual((refused.verify_code, refused.result.code), (1, 1))
        self.assertEqual(refused.verify_message, converge.strerror(1))
        self.assertIn(refused.result.text, str(refused))
        again = pickle.loads(pickle.dumps(refused))
        self.assertEqual((again.result, str(again)), (refused.result, str(refused)))

    def test_the_exceptions_words(self):
        phrase = converge.strerror(28)
        for verdict, code, text, said in (
                ("disagree", 28, "", phrase),
                ("disagree", 28, phrase + ": 0 yes, 2 no", phrase + ": 0 yes, 2 no"),
                ("none", 1, "no port", converge.strerror(1) + ": no port"),
                ("exempt", 50, "the name is local", "nobody vouches for this certificate: "
                 "the name is local, and pki_result is not 0")):
            with self.subTest(verdict=verdict, text=text):
                refused = converge.CertificateRefused(
                    converge.Result(code, verdict, "refuse", "vote", text, 3))
                self.assertEqual(str(refused), said)

    def test_a_url_is_no_host(self):
        for host in ("https://" + HOST, HOST + ":443", "fe80::1%eth0"):
            with self.subTest(host=host):
                self.assertRegex(self.check(host=host).text, "scheme, port and zone id")

    def test_asyncio(self):
        async def both():
            result = await converge.check_async(HOST, 0, SHA1)
            with self.assertRaises(converge.CertificateRefused):
                await converge.verify_async(HOST, 0, SHA1)
            with self.assertRaises(ValueError):
                await converge.check_async("a\0", 443, SHA1)
            return result
        self.assertEqual(asyncio.run(both()).code, 1)

    def test_phrases(self):
        self.assertNotEqual(converge.strerror(0), converge.strerror(28))
        self.assertTrue(converge.strerror(2**70))
        self.assertRegex(converge.version(), r"^\d+\.\d+\.\d+$")


class Sockets(Case):
    def test_what_is_no_tls(self):
        with self.assertRaises(TypeError):
            converge.verify_socket(object())

    def test_an_object_has_no_port_and_maybe_no_name(self):
        context = ssl.create_default_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        named = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
        with self.assertRaisesRegex(TypeError, "port="):
            converge.verify_socket(named)
        with self.assertRaises(ValueError):  # no handshake yet
            converge.verify_socket(named, port=443)
        context.check_hostname = False
        nameless = context.wrap_bio(incoming, outgoing)
        with self.assertRaisesRegex(TypeError, "host="):
            converge.verify_socket(nameless, port=443)

    def test_a_servers_side(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        with self.assertRaisesRegex(ValueError, "server's side"):
            converge.verify_socket(served, HOST, 443)


if __name__ == "__main__":
    unittest.main()
