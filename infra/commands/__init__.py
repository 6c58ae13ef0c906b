"""The `hematovision` command: a module for each group of its commands, and what they share
(`terminal`, `passphrase`); `cli` puts them together, `entry` starts them."""
