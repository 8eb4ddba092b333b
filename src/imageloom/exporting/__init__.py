"""Trained models in formats that other programs run, each proven against the model itself."""
