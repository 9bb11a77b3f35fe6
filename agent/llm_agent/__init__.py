"""llm_agent: serves one model of llmd. The contract is agent/PROTOCOL.md."""

__version__ = "0.1.0"
