"""Workers killed in the middle of everything: nothing lost, nothing twice."""
