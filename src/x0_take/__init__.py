"""What readers take along: Markdown twins, open data, books on paper, a copy without a network."""
