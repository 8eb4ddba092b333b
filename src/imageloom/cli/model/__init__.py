"""Commands around one model: make it, score with it, name pictures, evaluate."""
