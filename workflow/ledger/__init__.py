"""The proof: canonical entries, Merkle tree, checkpoints, bundles and their verification."""
