"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1) over SHA-256.

Perfect subtrees are addressed by ``(level, index)``: level 0 holds the leaf hashes, and node ``(l, i)``
covers the leaves from ``i·2^l`` up to ``(i+1)·2^l``. A perfect node never changes once it is complete, so a
store that keeps them can rebuild the root of every earlier size and every proof. ``lookup(level, index)``
stands for that store throughout.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

Lookup = Callable[[int, int], bytes]
"""Returns the 32-byte hash of a perfect node; raises ``LookupError`` when the store has none."""

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ data)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over adjacent perfect subtrees given left to right, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in hashes[-2::-1]:
        result = node_hash(left, result)
    return result


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def frontier_positions(size: int) -> list[tuple[int, int]]:
    """Return where the perfect subtrees stand that together cover ``size`` leaves, left to right."""
    return _pieces(0, size)


class Frontier:
    """The right edge of a growing tree: all that appending needs, at most one hash per level."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Start from ``size`` leaves whose perfect subtrees, left to right, have these hashes."""
        if len(hashes) != size.bit_count():
            raise ValueError("a frontier has one hash per one-bit of its size")
        self.size = size
        self.hashes = list(hashes)

    @classmethod
    def load(cls, size: int, lookup: Lookup) -> "Frontier":
        """Read the frontier of the first ``size`` leaves from a store of perfect nodes."""
        return cls(size, [lookup(level, index) for level, index in frontier_positions(size)])

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add one leaf hash; return the nodes this completes as ``(level, index, hash)``, lowest first.

        The leaf itself, level 0, is not among them: on average one node per leaf is.
        """
        completed = []
        index, level, hashes, current = self.size, 0, self.hashes, leaf
        while index & 1:
            index >>= 1
            level += 1
            current = _sha256(b"\x01" + hashes.pop() + current).digest()
            completed.append((level, index, current))
        hashes.append(current)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root at the present size."""
        return fold(self.hashes)


def root_at(size: int, lookup: Lookup) -> bytes:
    """Return the root that the tree had at an earlier ``size``."""
    return Frontier.load(size, lookup).root()


def inclusion_proof(index: int, size: int, lookup: Lookup) -> list[bytes]:
    """Return the audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("the leaf lies outside the tree")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_span(middle, end, lookup))
            end = middle
        else:
            path.append(_span(start, middle, lookup))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, lookup: Lookup) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves extends that of ``old`` (RFC 9162 section 2.1.4.1).

    It is empty when the sizes are equal or ``old`` is 0, where there is nothing to prove.
    """
    if not 0 <= old <= new:
        raise ValueError("the older tree is not the smaller one")
    if old in (0, new):
        return []
    start, end, path = 0, new, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_span(middle, end, lookup))
            end = middle
        else:
            path.append(_span(start, middle, lookup))
            start = middle
    # The verifier holds the old root already when the walk ended on the whole old tree.
    if start:
        path.append(_span(start, end, lookup))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof shows ``leaf`` at ``index`` under ``root`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(proof):
        return False
    climbed = _climb(index, size - 1, leaf, proof)
    return climbed is not None and climbed[1] == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the proof shows that ``new_root`` extends ``old_root`` (RFC 9162 section 2.1.4.2).

    Every tree extends the empty one, and a tree extends itself; both take an empty proof.
    """
    if not 0 <= old <= new or not _well_formed(proof):
        return False
    if old in (0, new):
        expected = new_root if old else EMPTY_ROOT
        return not proof and old_root == expected and (new > 0 or new_root == EMPTY_ROOT)
    if not proof:
        return False
    # A perfect old tree is its own starting point and is left out of the proof.
    perfect = not old & (old - 1)
    start, rest = (old_root, proof) if perfect else (proof[0], proof[1:])
    shift = (old & -old).bit_length() - 1
    return _climb((old - 1) >> shift, (new - 1) >> shift, start, rest) == (old_root, new_root)


def _climb(first: int, last: int, start: bytes, parts: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Climb from node ``first`` on a level whose last node is ``last``; both proofs share this walk.

    Returns the root over what stands left of and under the start, and the root over everything; None when the
    proof is too short or too long.
    """
    older = newer = start
    for part in parts:
        if not last:
            return None
        if first & 1 or first == last:
            older, newer = node_hash(part, older), node_hash(part, newer)
            # Levels on which the node has no sibling to the right are skipped.
            shift = (first & -first).bit_length() - 1 if first else last.bit_length()
            first >>= shift
            last >>= shift
        else:
            newer = node_hash(newer, part)
        first >>= 1
        last >>= 1
    return None if last else (older, newer)


def _split(count: int) -> int:
    """Return the largest power of two smaller than ``count``, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _pieces(start: int, end: int) -> list[tuple[int, int]]:
    """Return the perfect subtrees covering leaves ``start`` to ``end``; ``start`` is a split of the RFC."""
    pieces = []
    while start < end:
        level = (end - start).bit_length() - 1
        pieces.append((level, start >> level))
        start += 1 << level
    return pieces


def _span(start: int, end: int, lookup: Lookup) -> bytes:
    """Return the root over the leaves ``start`` to ``end``."""
    return fold([lookup(level, index) for level, index in _pieces(start, end)])


def _well_formed(proof: Sequence[bytes]) -> bool:
    """Tell whether every part of an untrusted proof is a hash."""
    return all(len(part) == HASH_BYTES for part in proof)
