"""From files, pipes and what is compressed in them to whole lines, a block at a time."""
