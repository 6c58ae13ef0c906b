"""Everything that tries the product; what it says is held against English, whatever the shell speaks."""

import os

os.environ["LANGUAGE"] = "en"
