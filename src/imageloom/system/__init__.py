"""What the operating system tells and does: machine, processes, and words for people."""
