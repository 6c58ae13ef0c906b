"""What reads every setting, so that names which nothing reads are known in the end."""

from pathlib import Path

from webapp.config.environment import StrictEnv

env = StrictEnv()

WEBAPP = Path(__file__).resolve().parents[2]
