"""Scoring, evaluation and the reports that explain them."""
