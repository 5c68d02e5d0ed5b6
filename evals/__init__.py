"""Measuring what is found and what is answered; the sample archive."""
