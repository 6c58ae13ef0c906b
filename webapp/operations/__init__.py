"""For those who run an installation: probes, the status page, its metrics, certificates, operators."""
