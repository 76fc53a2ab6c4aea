"""How the daemon can be watched: logs and metrics."""
