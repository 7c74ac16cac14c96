"""
The compiled speed: the kernels of this package and of core, compiled by Numba, kept in a cache,
and loaded from there without Numba. An optional extra: without it these are plain Python.
"""
