"""From change files to changes with the ticks at which they were deployed."""
