"""The door to WhatsApp by the Cloud API."""
