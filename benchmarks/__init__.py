"""What `make bench` measures: one file for each promise about speed, every figure beside a peer of the same run."""
