"""What `python -m llm_agent` can be asked to do: one file per command."""
