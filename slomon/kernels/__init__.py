"""
The kernels: plain functions over bytes and flat columns of numbers, without objects, lists or
errors. The same source runs as Python, which is how most tests run it, and compiled by Numba.
"""
