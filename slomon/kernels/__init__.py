"""
Plain functions over bytes and flat columns of numbers: no objects, lists or errors. Numba compiles
them as they stand; without it they run as Python, and that is how they are tested too.
"""
