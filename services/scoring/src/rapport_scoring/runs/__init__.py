"""What carries out long computations, one at a time and in one process, with their progress for all to see."""
