"""The house: how the parts are put together and run. No business rules."""
