"""A Hugging Face Hub on loopback for tests. Standard library only; see README.md."""
