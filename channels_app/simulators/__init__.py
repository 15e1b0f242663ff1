"""Loopback providers for the demo and the tests: real HTTP, signed, strict. Nothing of the desk imports them."""
