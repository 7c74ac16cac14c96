"""The asynchronous pipeline: reader -> workers -> collector. It moves batches; the core decides."""
