"""What the one-machine stack is given and told: settings, secrets, certificates, ports, environment."""
