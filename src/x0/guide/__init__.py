"""Guide: the conventions of the book."""
