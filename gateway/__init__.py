"""Between the wire and the menu: links, dialects, dialogues, the outbox, jobs, and the daemon that joins them."""
