"""
The pure machine that is fed batches of events and answers with incidents. It uses the standard
library only: no I/O, clock, logging, randomness or async.
"""
