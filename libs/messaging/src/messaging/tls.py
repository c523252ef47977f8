"""Mutual TLS with Kafka: the certificates are files that somebody else renews while the worker runs."""

from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, MemoryBIO, SSLContext, SSLObject, SSLSession
from typing import Any, Self


class MutualTls(SSLContext):
    """A client's context that reads its PEM files anew for each connection; host names are checked.

    Event loops call `wrap_bio` once per connection. A file that is missing or torn fails that one connection with an
    OSError (SSLError is one), and the client tries again; an authority that left its file is believed no longer.
    """

    def __new__(cls, *_: object) -> Self:
        """What asyncio is shown is never used itself."""
        return super().__new__(cls, PROTOCOL_TLS_CLIENT)

    def __init__(self, ca_file: Path, certificate_file: Path, key_file: Path) -> None:
        self._ca, self._certificate, self._key = ca_file, certificate_file, key_file

    def wrap_bio(
        self,
        incoming: MemoryBIO,
        outgoing: MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: SSLSession | None = None,
    ) -> SSLObject:
        """The connection's own context, from the files as they are now."""
        fresh = SSLContext(PROTOCOL_TLS_CLIENT)
        fresh.load_verify_locations(self._ca)
        fresh.load_cert_chain(self._certificate, self._key)
        return fresh.wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def client_options(tls: SSLContext | None) -> dict[str, Any]:
    """What aiokafka's clients are told; None is plain text."""
    return {"security_protocol": "SSL" if tls else "PLAINTEXT", "ssl_context": tls}
