"""A rank that torchrun, srun or mpirun started."""
