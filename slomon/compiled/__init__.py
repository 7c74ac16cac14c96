"""
The compiled backend: the kernels compiled by Numba (`build`), kept in a cache (`cache`), loaded
from there without Numba (`library`), and their hosts. It needs the optional extra `slomon[replay]`.
"""
