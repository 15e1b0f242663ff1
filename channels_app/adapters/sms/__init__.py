"""The door to SMS by Twilio."""
