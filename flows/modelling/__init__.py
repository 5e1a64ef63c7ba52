"""Fits of the model stage: each module reads rows that SQL has put together and returns fits."""
