"""What `slomon replay` is measured against, the data for it, and the measuring."""
