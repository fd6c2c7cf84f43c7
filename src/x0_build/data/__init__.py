"""The data files of the book."""
