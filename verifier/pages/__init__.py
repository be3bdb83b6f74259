"""Templates and style of the pages, and what turns a verdict into words."""
