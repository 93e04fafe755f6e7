# SPDX-License-Identifier: MIT
import ssl
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Optional, SupportsIndex, Tuple, Union

__version__: str
__all__ = ["CertificateRefused", "Result", "Vote", "check", "check_async", "converge", "strerror",
           "verify", "verify_async", "verify_socket", "version"]

_Octets = Union[bytes, bytearray, memoryview]

@dataclass(frozen=True)
class Vote:
    notary: str
    answer: str
    elapsed_ms: int
    error: str = ...
    bounced: bool = ...

@dataclass(frozen=True)
class Result:
    code: int
    verdict: str
    action: str
    reason: str
    text: str
    elapsed_ms: int
    votes: Tuple[Vote, ...] = ...
    @property
    def ok(self) -> bool: ...
    def __bool__(self) -> bool: ...

class CertificateRefused(ssl.SSLCertVerificationError):
    result: Result
    verify_code: int
    verify_message: str
    library: str
    reason: str
    def __init__(self, result: Result) -> None: ...

def converge(host: str, port: SupportsIndex, sha1sum: Optional[str]) -> int: ...
def check(host: str, port: SupportsIndex, fingerprint: Optional[str] = ..., *,
          timeout: Optional[float] = ..., certificate: Optional[_Octets] = ...,
          pki_result: Optional[SupportsIndex] = ..., start_agent: bool = ...) -> Result: ...
def verify(host: str, port: SupportsIndex, fingerprint: Optional[str] = ..., *,
           timeout: Optional[float] = ..., certificate: Optional[_Octets] = ...,
           pki_result: Optional[SupportsIndex] = ..., start_agent: bool = ...) -> Result: ...
async def check_async(host: str, port: SupportsIndex, fingerprint: Optional[str] = ..., *,
                      timeout: Optional[float] = ..., certificate: Optional[_Octets] = ...,
                      pki_result: Optional[SupportsIndex] = ..., start_agent: bool = ...,
                      executor: Optional[Executor] = ...) -> Result: ...
async def verify_async(host: str, port: SupportsIndex, fingerprint: Optional[str] = ..., *,
                       timeout: Optional[float] = ..., certificate: Optional[_Octets] = ...,
                       pki_result: Optional[SupportsIndex] = ..., start_agent: bool = ...,
                       executor: Optional[Executor] = ...) -> Result: ...
def verify_socket(connection: Union[ssl.SSLSocket, ssl.SSLObject], host: Optional[str] = ...,
                  port: Optional[SupportsIndex] = ..., *, timeout: Optional[float] = ...,
                  pki_result: Optional[SupportsIndex] = ...,
                  start_agent: bool = ...) -> Result: ...
def strerror(code: SupportsIndex) -> str: ...
def version() -> str: ...
