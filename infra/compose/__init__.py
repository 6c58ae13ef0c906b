"""What docker-compose.yml mounts, and the command that prepares a host for it."""
