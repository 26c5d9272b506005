"""Passwords as they are kept: hashed with Argon2id, so that whoever reads the database cannot read them.

The parameters are those that RFC 9106 recommends where memory is short (its second choice): 64 MiB, three passes, four
lanes. Every hash says with which it was made, and is made anew at the next sign-in when these here change.
"""

from __future__ import annotations

from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

__all__ = ["Argon2id"]

_SALT_BYTES, _HASH_BYTES = RFC_9106_LOW_MEMORY.salt_len, RFC_9106_LOW_MEMORY.hash_len


class Argon2id:
    """Hashing with Argon2id; see `indicators.accounts.Hashing`.

    Parameters
    ----------
    passes : int, optional
        Over the memory.
    memory : int, optional
        In KiB; at least eight for each lane.
    lanes : int, optional
        Worked on at the same time.
    """

    def __init__(
        self,
        *,
        passes: int = RFC_9106_LOW_MEMORY.time_cost,
        memory: int = RFC_9106_LOW_MEMORY.memory_cost,
        lanes: int = RFC_9106_LOW_MEMORY.parallelism,
    ) -> None:
        self._hasher = PasswordHasher(passes, memory, lanes, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES)
        # Put together, not computed: as no password gives a hash of zeros, none is needed to make it.
        self.nobodys = f"$argon2id$v=19$m={memory},t={passes},p={lanes}${_zeros(_SALT_BYTES)}${_zeros(_HASH_BYTES)}"

    def hashed(self, password: str) -> str:
        """The hash with its parameters and a salt of its own."""
        return self._hasher.hash(_octets(password))

    def fits(self, password: str, hashed: str) -> bool:
        """Whether the hash was made of the password; False for what is no hash at all."""
        try:
            return self._hasher.verify(hashed, _octets(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_dated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters."""
        return self._hasher.check_needs_rehash(hashed)


def _octets(password: str) -> bytes:
    # What a terminal could not decode comes as half surrogates, and is a password like any other.
    return password.encode("utf-8", "surrogatepass")


def _zeros(count: int) -> str:
    return b64encode(bytes(count)).decode().rstrip("=")
