"""The ranks on this machine: started, watched, and what their ends mean."""
