"""Rules on the rows of a relation: how many break each, which, and what becomes of them."""
