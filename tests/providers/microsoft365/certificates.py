"""An application's key and certificate in one PEM file, as the settings ask for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@cache
def pair() -> tuple[rsa.RSAPrivateKey, bytes]:
    """Return a key and its certificate; making them takes a while, so once is enough."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "holdfast")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=30))
    return key, made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write(path: Path, phrase: str = "") -> Path:
    """Write both to a file, the key encrypted or not, for its owner alone."""
    key, certificate = pair()
    how = serialization.BestAvailableEncryption(phrase.encode()) if phrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    path.touch(0o600)
    path.write_bytes(pem + certificate)
    return path
