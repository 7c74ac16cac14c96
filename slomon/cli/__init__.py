"""The command line. Results go to stdout, messages and logs to stderr."""
