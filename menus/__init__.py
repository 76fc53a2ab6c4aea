"""The menu tree and its engine: turns go in, screens and calls come out. All words of the service live here."""
