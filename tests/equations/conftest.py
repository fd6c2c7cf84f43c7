"""The networks are small: more threads than one would only wait for each other."""

import torch

torch.set_num_threads(1)
