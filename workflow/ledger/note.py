"""Signed notes: text with Ed25519 signatures beneath (C2SP ``signed-note``).

A note is text that ends in a newline, a blank line, and one line per signature: an em dash, a space, the
key's name, a space, and base64 of four bytes of key hash and the signature. Only signatures of type 0x01
(Ed25519) are made and checked here; signatures by unknown keys are counted and otherwise ignored, as the
specification demands.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from workflow.errors import InputError
from workflow.ledger.malformed import Malformed

MAX_NOTE = 262_144
"""Largest note read, in bytes: room for many witnesses."""
MAX_SIGNATURES = 64
"""Most signatures read; the specification asks for at least 16."""
MAX_NAME = 255

_ED25519 = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 4
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]").search
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]{1,255}").fullmatch


def is_name(value: Any) -> bool:
    """Tell whether this may name a key or a log: text without Unicode blanks, control characters and plus."""
    return isinstance(value, str) and _NAME(value) is not None


def decode_base64(text: str) -> bytes:
    """Read standard padded base64 (RFC 4648 section 4), accepting only the one canonical spelling.

    Raises:
        Malformed: another alphabet, missing padding or stray bits.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Malformed("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Malformed("base64 in an unusual spelling")
    return data


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, with which key, and the signature itself."""

    name: str
    key_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart, nothing verified."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A note of which at least one signature by a known key holds, and none fails."""

    text: str
    signatures: tuple[Signature, ...]
    """Those by known keys, each key once."""
    unknown: int
    """How many signatures are by keys nobody told us about."""


class Verifier:
    """A public key and the name it signs under, read from its text form (a *vkey*).

    The text is ``name+hash+base64(0x01 ‖ 32-byte public key)``, the hash eight hexadecimal digits.
    """

    __slots__ = ("_public", "key_hash", "name", "text")

    def __init__(self, text: str) -> None:
        """Read a vkey.

        Raises:
            Malformed: another form, another algorithm, or a hash that does not belong to name and key.
        """
        self.name, self.key_hash, public = _parse_key(text)
        if _key_hash(self.name, public) != self.key_hash:
            raise Malformed("the key's hash does not belong to its name and bytes")
        self.text = text
        self._public = Ed25519PublicKey.from_public_bytes(public)

    def __str__(self) -> str:
        """Return the vkey."""
        return self.text

    def under(self, name: str) -> "Verifier":
        """Return the same key under another of its log's names."""
        if name == self.name:
            return self
        public = self._public.public_bytes_raw()
        return Verifier(f"{name}+{_key_hash(name, public).hex()}+{_base64(_ED25519 + public)}")

    def holds(self, text: bytes, signature: bytes) -> bool:
        """Tell whether this key made this signature over these bytes."""
        try:
            self._public.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key and the name it signs under. Its ``repr`` shows no secret."""

    __slots__ = ("_line", "_private", "key_hash", "name", "verifier")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        """Bind a key to a name.

        Raises:
            InputError: the name has blanks, a plus sign, or is empty or too long.
        """
        if not is_name(name):
            raise InputError("a key's name is text without blanks and plus signs")
        public = private.public_key().public_bytes_raw()
        self.name = name
        self.key_hash = _key_hash(name, public)
        self.verifier = Verifier(f"{name}+{self.key_hash.hex()}+{_base64(_ED25519 + public)}")
        self._private = private
        self._line = f"— {name} "

    @classmethod
    def generate(cls, name: str) -> "Signer":
        """Make a new key under this name."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, text: str) -> "Signer":
        """Read the text form that :meth:`dump` writes; blanks around it are forgiven.

        Raises:
            Malformed: another form, or a hash that does not belong to name and key.
        """
        text = text.strip()
        if not text.startswith(_PRIVATE):
            raise Malformed("not a private key in the form PRIVATE+KEY+name+hash+base64")
        name, key_hash, seed = _parse_key(text[len(_PRIVATE) :])
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if signer.key_hash != key_hash:
            raise Malformed("the key's hash does not belong to its name and bytes")
        return signer

    def dump(self) -> str:
        """Return the secret as text: ``PRIVATE+KEY+name+hash+base64(0x01 ‖ 32-byte seed)``."""
        seed = self._private.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{self.key_hash.hex()}+{_base64(_ED25519 + seed)}"

    def under(self, name: str) -> "Signer":
        """Return the same key under another of its log's names."""
        return self if name == self.name else Signer(name, self._private)

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"Signer({self.name}+{self.key_hash.hex()})"

    def line(self, text: bytes) -> str:
        """Return the signature line over these bytes of text, with its newline."""
        return f"{self._line}{_base64(self.key_hash + self._private.sign(text))}\n"


def sign(text: str, *signers: Signer) -> str:
    """Return the signed note over ``text``.

    Raises:
        InputError: no signer, or text that is empty, lacks its final newline or holds control characters.
    """
    if not signers or not text.endswith("\n") or _CONTROL(text):
        raise InputError("a note needs a signer, and text without control characters that ends in a newline")
    data = text.encode()
    return f"{text}\n{''.join([signer.line(data) for signer in signers])}"


def parse(note: str | bytes) -> Note:
    """Take an untrusted note apart. Its text means nothing until a signature is verified.

    Raises:
        Malformed: not a note, or larger than a reader accepts.
    """
    try:
        text = note if isinstance(note, str) else note.decode()
        size = len(note) if isinstance(note, bytes) else len(text.encode())
    except UnicodeError:
        raise Malformed("a note is UTF-8 text") from None
    if size > MAX_NOTE:
        raise Malformed(f"{size} bytes are more than the {MAX_NOTE} a note may have")
    if _CONTROL(text):
        raise Malformed("a note holds a control character")
    # The text itself may hold blank lines; the last one separates.
    body, separator, tail = text.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise Malformed("a note is text, a blank line and signature lines, each ended by a newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(f"more than {MAX_SIGNATURES} signatures")
    return Note(f"{body}\n", tuple([_parse_line(line) for line in lines]))


def verify(note: str | bytes, verifiers: Sequence[Verifier]) -> Verified:
    """Return the note's text once a known key vouches for it.

    Raises:
        Malformed: not a note; a signature that a known key did not make; or none by a known key.
        InputError: two verifiers share name and hash, so that a signature could not be told apart.
    """
    known = {(verifier.name, verifier.key_hash): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise InputError("two of the given keys share their name and hash")
    parsed = parse(note)
    data = parsed.text.encode()
    good: dict[tuple[str, bytes], Signature] = {}
    unknown = 0
    for signature in parsed.signatures:
        key = (signature.name, signature.key_hash)
        verifier = known.get(key)
        if verifier is None:
            unknown += 1
        elif verifier.holds(data, signature.signature):
            good.setdefault(key, signature)
        else:
            raise Malformed("a signature does not belong to this text")
    if not good:
        raise Malformed("no signature is by a known key")
    return Verified(parsed.text, tuple(good.values()), unknown)


def _parse_line(line: str) -> Signature:
    """Take one signature line apart."""
    if not line.startswith("— "):
        raise Malformed("a signature line begins with an em dash and a space")
    name, separator, encoded = line[2:].partition(" ")
    if not separator or not is_name(name):
        raise Malformed("a signature line is an em dash, a key's name and base64")
    data = decode_base64(encoded)
    if len(data) <= _ID_BYTES:
        raise Malformed("a signature is too short")
    return Signature(name, data[:_ID_BYTES], data[_ID_BYTES:])


def _parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Take ``name+hash+base64(0x01 ‖ 32 bytes)`` apart, public or private."""
    name, _, rest = text.partition("+")
    digits, _, encoded = rest.partition("+")
    if not is_name(name) or not re.fullmatch(r"[0-9a-f]{8}", digits):
        raise Malformed("a key is written name+hash+base64")
    data = decode_base64(encoded)
    if data[:1] != _ED25519 or len(data) != 1 + _KEY_BYTES:
        raise Malformed("a key is not an Ed25519 key of type 0x01")
    return name, bytes.fromhex(digits), data[1:]


def _key_hash(name: str, public: bytes) -> bytes:
    """Return the first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_BYTES]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
