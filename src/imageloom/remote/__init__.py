"""Jobs on targets without a pipeline: trainings that are followed, greetings that check."""
