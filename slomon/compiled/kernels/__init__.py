"""
Plain Python over bytes and flat columns of numbers, which Numba compiles as it stands: no objects,
no lists, no errors. Interpreted it does the same, slowly, and that is how it is tested too.
"""
