"""Reference: the ledger, its code, the tools."""
