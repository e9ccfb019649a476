"""What keeps the service alive for years: backups, checks of a deployment, tidying, other databases taken in."""
