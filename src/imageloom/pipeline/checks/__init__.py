"""Every reason why a pipeline cannot run, found before anything starts."""
