"""The Merkle tree against the reference leaves and against the RFC's own recursive definition."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.ledger import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 70)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if index < half:
        return [*naive_path(index, leaves[:half]), naive_root(leaves[half:])]
    return [*naive_path(index - half, leaves[half:]), naive_root(leaves[:half])]


def naive_subproof(old: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, word for word."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if old <= half:
        return [*naive_subproof(old, leaves[:half], whole=whole), naive_root(leaves[half:])]
    return [*naive_subproof(old - half, leaves[half:], whole=False), naive_root(leaves[:half])]


def leaf_hashes(count: int) -> list[bytes]:
    """Return so many different leaf hashes."""
    return [merkle.leaf_hash(number.to_bytes(2)) for number in range(count)]


def store(leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """Keep every perfect node that growing the tree completes."""
    frontier, nodes = merkle.Frontier(), {}
    for index, leaf in enumerate(leaves):
        nodes[0, index] = leaf
        for level, position, value in frontier.append(leaf):
            nodes[level, position] = value
    return nodes


@pytest.fixture(scope="module")
def grown() -> tuple[list[bytes], merkle.Lookup]:
    """Seventy leaves and the look-up over their nodes."""
    leaves = leaf_hashes(70)
    nodes = store(leaves)
    return leaves, lambda level, index: nodes[level, index]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_leaves(size: int) -> None:
    """The public known answers hold from the empty tree to eight leaves."""
    assert ROOTS[size] == merkle.root(merkle.leaf_hash(leaf) for leaf in LEAVES[:size]).hex()


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    """RFC 6962 defines the root of no leaves."""
    assert ROOTS[0] == merkle.EMPTY_ROOT.hex()


@pytest.mark.parametrize("size", range(71))
def test_every_earlier_root_can_be_rebuilt(size: int, grown: tuple[list[bytes], merkle.Lookup]) -> None:
    """From the perfect nodes alone each earlier root follows, equal to the naive one."""
    leaves, lookup = grown
    assert naive_root(leaves[:size]) == merkle.root_at(size, lookup)


def test_only_perfect_nodes_above_the_leaves_are_announced() -> None:
    """Growing by one leaf at a time completes each node once, right after its last leaf."""
    frontier = merkle.Frontier()
    completed = [[(level, at) for level, at, _ in frontier.append(leaf)] for leaf in leaf_hashes(8)]
    assert [[], [(1, 0)], [], [(1, 1), (2, 0)], [], [(1, 2)], [], [(1, 3), (2, 1), (3, 0)]] == completed


def test_a_frontier_stands_on_the_ones_of_its_size() -> None:
    """Six leaves are a tree of four and a tree of two."""
    assert [(2, 0), (1, 2)] == merkle.frontier_positions(6)


@given(SIZES, st.data())
def test_a_loaded_frontier_grows_like_the_original(size: int, data: st.DataObject) -> None:
    """Loading at any size and appending the rest gives the same nodes and root."""
    leaves = leaf_hashes(size)
    nodes = store(leaves)
    frontier = merkle.Frontier.load(data.draw(st.integers(0, size)), lambda level, index: nodes[level, index])
    grown = [node for leaf in leaves[frontier.size :] for node in frontier.append(leaf)]
    assert naive_root(leaves) == frontier.root()
    assert all(nodes[level, index] == value for level, index, value in grown)


def test_a_frontier_with_a_hash_too_many_is_refused() -> None:
    """The number of hashes must be that of the size's one-bits."""
    with pytest.raises(ValueError, match="one hash per one-bit"):
        merkle.Frontier(2, [bytes(32), bytes(32)])


@given(SIZES, st.data())
def test_inclusion_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    """Each proof equals the naive one and verifies."""
    leaves = leaf_hashes(size)
    nodes, index = store(leaves), data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, lambda level, at: nodes[level, at])
    assert naive_path(index, leaves) == proof
    assert merkle.verify_inclusion(leaves[index], index, size, proof, naive_root(leaves))


@given(SIZES, st.data())
def test_consistency_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    """Each proof equals the naive one and verifies."""
    leaves = leaf_hashes(size)
    nodes, old = store(leaves), data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, lambda level, at: nodes[level, at])
    assert naive_subproof(old, leaves, whole=True) == proof
    assert merkle.verify_consistency(old, size, naive_root(leaves[:old]), naive_root(leaves), proof)


def wounded(proof: list[bytes]) -> list[list[bytes]]:
    """Return the proof with each part changed, dropped, doubled and cut."""
    results = [[*proof, bytes(32)], [bytes(32), *proof], [*proof, b""]]
    for at, part in enumerate(proof):
        flipped = bytes([part[0] ^ 1]) + part[1:]
        results += [[*proof[:at], flipped, *proof[at + 1 :]], proof[:at] + proof[at + 1 :]]
        results.append([*proof[:at], part[:31], *proof[at + 1 :]])
    return results


@given(SIZES, st.data())
def test_no_wounded_inclusion_proof_verifies(size: int, data: st.DataObject) -> None:
    """A changed, missing or surplus part, another leaf, another root: all fail."""
    leaves = leaf_hashes(size)
    nodes, index, root = store(leaves), data.draw(st.integers(0, size - 1)), naive_root(leaves)
    proof = merkle.inclusion_proof(index, size, lambda level, at: nodes[level, at])
    assert not any(merkle.verify_inclusion(leaves[index], index, size, bad, root) for bad in wounded(proof))
    assert not merkle.verify_inclusion(bytes(32), index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, bytes(32))
    others = [other for other in range(-1, size + 1) if other != index]
    assert not any(merkle.verify_inclusion(leaves[index], other, size, proof, root) for other in others)


@given(st.integers(2, 70), st.data())
def test_no_wounded_consistency_proof_verifies(size: int, data: st.DataObject) -> None:
    """A changed, missing or surplus part, another old or new root: all fail."""
    leaves = leaf_hashes(size)
    nodes, old = store(leaves), data.draw(st.integers(1, size - 1))
    older, newer = naive_root(leaves[:old]), naive_root(leaves)
    proof = merkle.consistency_proof(old, size, lambda level, at: nodes[level, at])
    assert not any(merkle.verify_consistency(old, size, older, newer, bad) for bad in wounded(proof))
    assert not merkle.verify_consistency(old, size, bytes(32), newer, proof)
    assert not merkle.verify_consistency(old, size, older, bytes(32), proof)
    assert not merkle.verify_consistency(old, size, older, newer, [])
    assert not merkle.verify_consistency(size, old, newer, older, proof)


def test_equal_and_empty_trees_take_an_empty_proof() -> None:
    """A tree extends itself and the empty tree, and nothing else without proof."""
    root, other, empty = bytes([1]) * 32, bytes(32), merkle.EMPTY_ROOT
    assert [] == merkle.consistency_proof(0, 5, lambda _level, _index: root)
    assert merkle.verify_consistency(5, 5, root, root, [])
    assert not merkle.verify_consistency(5, 5, root, other, [])
    assert not merkle.verify_consistency(5, 5, root, root, [root])
    assert merkle.verify_consistency(0, 5, empty, root, [])
    assert not merkle.verify_consistency(0, 5, other, root, [])
    assert not merkle.verify_consistency(0, 5, empty, root, [root])
    assert merkle.verify_consistency(0, 0, empty, empty, [])
    assert not merkle.verify_consistency(0, 0, empty, root, [])
    assert not merkle.verify_consistency(-1, 5, root, root, [])


def test_proofs_of_what_cannot_be_are_refused() -> None:
    """A leaf outside the tree or an older tree that is larger has no proof."""
    with pytest.raises(ValueError, match="outside the tree"):
        merkle.inclusion_proof(3, 3, lambda _level, _index: b"")
    with pytest.raises(ValueError, match="not the smaller one"):
        merkle.consistency_proof(4, 3, lambda _level, _index: b"")
