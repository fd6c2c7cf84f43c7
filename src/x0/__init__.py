"""The snippets of x0: small standalone modules that readers copy."""
