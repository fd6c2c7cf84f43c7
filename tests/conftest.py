"""One thread per process: with more, two cores spend their time waiting for each other."""

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"  # before anything imports NumPy or PyTorch
