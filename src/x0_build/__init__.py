"""The build layer: runs the snippets, draws the figures, renders the pages."""
