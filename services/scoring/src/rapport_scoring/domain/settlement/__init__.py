"""Settlement: what of each invoice is open on each day, and what is on account."""
