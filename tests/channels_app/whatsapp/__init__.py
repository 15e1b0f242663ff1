"""WhatsApp: what it sends, what it is sent, and how it answers."""
