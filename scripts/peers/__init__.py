"""The benchmarks: the tools to compare slomon with, their data, and the measurement."""
