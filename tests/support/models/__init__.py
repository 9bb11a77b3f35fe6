"""Small models for tests: real ones out of packages, random ones made by script. See README.md."""
