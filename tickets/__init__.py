"""The work: tickets, customers, and everything people do for them."""
