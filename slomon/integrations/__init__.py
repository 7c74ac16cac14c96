"""slomon with other programs: each part is optional and is imported alone."""
