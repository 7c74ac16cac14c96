"""Where logs come from: files and pipes, plain or compressed, read as blocks of whole lines."""
