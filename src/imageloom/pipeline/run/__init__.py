"""Running a pipeline: what is asked, the loop, its jobs, and what is true after a kill."""
