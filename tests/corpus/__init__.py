"""Mails written for the tests, beside what the desk must make of them."""
