"""Signed heads of the history, as C2SP checkpoints in signed notes, to be kept elsewhere.

Whoever can write to the database can write a chain anew; a head that was kept elsewhere shows it.
"""

import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from data_access.db import environment
from data_access.db.errors import Invalid, SettingMissing
from data_access.history.chain import Head

SETTING = "HISTORY_KEY_FILE"
HOW = "Make one: `openssl genpkey -algorithm ed25519 -out FILE && chmod 600 FILE`."
ORIGIN = "affiliate-review/"
# As the signed-note format has it: an em dash before each signature, and Ed25519's number.
DASH, ED25519 = "\u2014 ", b"\x01"


def sign(head: Head, key: Ed25519PrivateKey) -> str:
    """Return the head as a checkpoint with one signature."""
    body = _body(head)
    signature = _key_hash(_name(head), key.public_key()) + key.sign(body.encode())
    return f"{body}\n{DASH}{_name(head)} {b64encode(signature).decode()}\n"


def read(note: str, key: Ed25519PublicKey) -> Head:
    """Return the head of a checkpoint that this key signed. Raises Invalid."""
    body, _, signatures = note.partition("\n\n")
    lines = body.split("\n")
    try:
        origin, position, hashed = lines[:3]
        head = Head(
            chain_id=UUID(origin.removeprefix(ORIGIN)),
            position=int(position),
            hash=b64decode(hashed, validate=True),
        )
    except (ValueError, NotBase64) as error:
        raise Invalid("This file is not a head as `history head` prints it.") from error
    if not any(_is_by(key, _name(head), body + "\n", line) for line in signatures.split("\n")):
        raise Invalid("The kept head is not signed by this key, or was changed since.")
    return head


def private_key() -> Ed25519PrivateKey:
    """Return the signing key. Raises SettingMissing."""
    path = _path()
    if _holds_private(path) and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingMissing(f"Others can read the key file {path}: run `chmod 600 {path}`.")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _malformed(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _malformed(path)
    return key


def public_key() -> Ed25519PublicKey:
    """Return the key for checking; the file may hold only that one. Raises SettingMissing."""
    path = _path()
    if _holds_private(path):
        return private_key().public_key()
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _malformed(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _malformed(path)
    return key


def _path() -> Path:
    named = environment.get(SETTING)
    if not named:
        raise SettingMissing(f"Set {SETTING} to a file with an Ed25519 key in PEM. {HOW}")
    path = Path(named)
    if not os.access(path, os.R_OK) or not path.is_file():
        raise SettingMissing(f"The key file {path} of {SETTING} cannot be read. {HOW}")
    return path


def _holds_private(path: Path) -> bool:
    return b"PRIVATE KEY" in path.read_bytes()


def _malformed(path: Path) -> SettingMissing:
    return SettingMissing(f"The key file {path} of {SETTING} holds no Ed25519 key in PEM. {HOW}")


def _name(head: Head) -> str:
    return f"{ORIGIN}{head.chain_id}"


def _body(head: Head) -> str:
    return f"{_name(head)}\n{head.position}\n{b64encode(head.hash).decode()}\n"


def _key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def _is_by(key: Ed25519PublicKey, name: str, body: str, line: str) -> bool:
    signer, _, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or signer != name:
        return False
    try:
        signature = b64decode(encoded, validate=True)
        key.verify(signature[4:], body.encode())
    except (NotBase64, InvalidSignature):
        return False
    return signature[:4] == _key_hash(name, key)
