"""The proof, tested against public known answers, naive definitions and wounded specimens."""
