"""TLS from the files of a certificate and its key."""

import ssl
from pathlib import Path

from retriage.store.private_files import others_may_write
from retriage.store.server.problems import ServerProblem


def tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """How connections are encrypted: TLS 1.2 or newer.

    Args:
        certificate: PEM file of the certificate, with those of its issuers behind it.
        key: PEM file of its private key, without a password; none if it is in the file of the certificate.

    Raises:
        ServerProblem: one cannot be read, others may write the key, it wants a password, or they do not belong
            together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in (certificate, key):
        try:
            if file is not None:
                file.open("rb").close()
        except OSError as problem:
            raise ServerProblem(f"the file {file} cannot be read: {problem.strerror}") from problem
    if others_may_write(key or certificate):
        raise ServerProblem(
            f"others may write the key {key or certificate}; `chmod go-w {key or certificate}` fixes that"
        )
    try:
        context.load_cert_chain(certificate, key, password=_ask_nobody)
    except ssl.SSLError as problem:
        why = "they do not belong together" if problem.reason == "KEY_VALUES_MISMATCH" else "they are not PEM files"
        raise ServerProblem(
            f"certificate {certificate} and key {key or certificate} cannot be used: {why}"
        ) from problem
    return context


def _ask_nobody() -> str:
    raise ServerProblem("the private key wants a password; give a key without one")
